// What each modifier does to scores, by place or by size, and each reweight to weights.

import {
  createHeed,
  type DefaultCatalog,
  type Heed,
  masks,
  normalizers,
  ops,
  type Tensor,
} from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { plot } from './draw/plot.ts';
import { type Drawing, figure } from './draw/svg.ts';

type Modifier = ReturnType<typeof masks.bias>;
type Reweight = ReturnType<typeof masks.localGaussian>;
type Given = (heed: Heed<DefaultCatalog>) => Readonly<Record<string, Tensor>>;

interface Panel {
  readonly modifier: Modifier;
  readonly params?: Given;
  readonly inputs?: Given;
  /** Whether the new score is drawn over the old one, and not over query and key. */
  readonly bySize?: boolean;
  readonly says: string;
  /** In place of the modifier's own label. */
  readonly label?: string;
}

const LENGTH = 12;
const places = Array.from({ length: LENGTH }, (_, place) => place);

export const modifierPanels: Readonly<Record<string, Panel>> = {
  alibi: { modifier: masks.alibi(), says: 'a slope for each head' },
  bias: {
    modifier: masks.bias(),
    inputs: ({ tensor }) => ({ bias: tensor(places.map((i) => places.map((j) => Math.sin(i + j * j)))) }),
    says: 'a number for each pair',
  },
  'relative-table': {
    modifier: masks.relativeTable({ max: 3 }),
    params: ({ tensor }) => ({ relative: tensor([[-1, 0.3, 0.8, 1, 0.2, -0.3, -0.5]]) }),
    says: 'a number for each distance up to 3',
  },
  'relative-buckets': {
    modifier: masks.relativeBuckets({ buckets: 12, maxDistance: 10 }),
    label: 'relative-buckets(buckets: 12)',
    params: ({ tensor }) => ({
      bucketBias: tensor([[1, 0.8, 0.5, 0.2, -0.4, -1, 1, 0.6, 0.3, -0.2, -0.5, -0.8]]),
    }),
    says: 'far distances share one',
  },
  'relative-keys': {
    modifier: masks.relativeKeys({ distances: 7 }),
    params: ({ device }) => ({ relativeKeys: ops.normal(device, [7, 2], { seed: 3 }) }),
    says: 'by the distance and the query',
  },
  'relative-grid': {
    modifier: masks.relativeGrid({ height: 3, width: 4 }),
    params: ({ tensor }) => ({
      grid: tensor([
        [-2, -1, 0, 1, 2].map((down) =>
          [-3, -2, -1, 0, 1, 2, 3].map((across) => 1 - (down ** 2 + across ** 2) / 4),
        ),
      ]),
    }),
    says: 'an image of 3 rows of 4 places',
  },
  'gaussian-window': { modifier: masks.gaussianWindow({ sigma: 2 }), says: 'around the own place' },
  gumbel: { modifier: normalizers.gumbel({ gumbelSeed: 3 }), says: 'noise of a seed' },
  softcap: { modifier: masks.softcap({ cap: 2 }), bySize: true, says: 'cap tanh(score / cap)' },
  temperature: { modifier: masks.temperature({ temperature: 2 }), bySize: true, says: 'score / temperature' },
  'learned-scale': {
    modifier: masks.learnedScale(),
    params: ({ tensor }) => ({ scale: tensor(1.5) }),
    bySize: true,
    says: 'scale learned: 1.5',
  },
};

export const reweightPanels: Readonly<Record<string, Reweight>> = {
  'local-gaussian': masks.localGaussian({ sigma: 1.5, window: 4 }),
};

const sizes = Array.from({ length: 49 }, (_, step) => step / 6 - 4);

async function drawn(heed: Heed<DefaultCatalog>, panel: Panel): Promise<Drawing> {
  const { modifier, params = () => ({}), inputs = () => ({}), bySize = false } = panel;
  const attend = heed.attention({ score: 'dot', modifiers: [modifier] });
  const call = { params: params(heed), inputs: inputs(heed) };
  const titles = [panel.label ?? modifier.label, panel.says];
  if (bySize) {
    const scores = await attend
      .scores(heed.tensor([[1]]), heed.tensor(sizes.map((one) => [one])), call)
      .read();
    const before = sizes.map((one) => [one, one] as const);
    const after = Array.from(scores, (one, at) => [sizes[at] as number, one] as const);
    const axis = { from: -4, to: 4, ticks: [-4, 0, 4] };
    const clipped = after.filter(([, y]) => Math.abs(y) <= 4);
    return titled(
      plot(
        [
          { points: before, hue: 'brown' },
          { points: clipped, hue: 'blue' },
        ],
        { x: axis, y: axis, width: 138, height: 138 },
      ),
      ...titles,
    );
  }
  // Queries that differ, for what reads them, and keys of zero: the score is what was added.
  const query = ops.normal(heed.device, [LENGTH, 2], { seed: 1 });
  const added = attend.scores(query, ops.zeros(heed.device, [LENGTH, 2]), call);
  return titled(matrix((await added.toNested()) as number[][]), ...titles);
}

async function drawnFactor(heed: Heed<DefaultCatalog>, reweight: Reweight): Promise<Drawing> {
  const rows = heed.tensor(places.map(() => [1]));
  const attend = heed.attention({ score: 'dot', normalizer: 'identity', reweight: [reweight] });
  // Every score is 1, and so is every weight.
  const { weights } = attend(rows, rows, rows, {
    inputs: { centers: heed.tensor(places.map((place) => 2 + place * 0.75)) },
    weights: true,
  });
  return titled(matrix((await weights.toNested()) as number[][]), reweight.label, 'a factor for each weight');
}

/** The figure: what is added to each pair, or the new score over the old one; and the factor of each weight. */
export async function modifiersFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const panels: Drawing[] = [];
  for (const panel of Object.values(modifierPanels)) panels.push(await drawn(heed, panel));
  for (const reweight of Object.values(reweightPanels)) panels.push(await drawnFactor(heed, reweight));
  return figure(
    grid(panels, { columns: 4 }),
    'Modifiers: what each adds to the score of 12 queries, from the top, and 12 keys, from the left, blue above zero and orange ' +
      'below; or the new score over the old one. Last, the factors that local-gaussian gives to weights.',
  );
}
