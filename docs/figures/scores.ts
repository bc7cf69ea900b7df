// What each score gives to keys of a plane, or to keys of a sequence where their place decides.

import {
  createHeed,
  type DefaultCatalog,
  type Heed,
  scores,
  type Tensor,
} from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { bars } from './draw/plot.ts';
import { type Drawing, element, figure } from './draw/svg.ts';

type Score = ReturnType<typeof scores.dot>;
type Inputs = Readonly<Record<string, Tensor>>;

interface Panel {
  readonly score: Score;
  /** Where places decide: what is given of each of the keys, which are alike. */
  readonly places?: { readonly inputs: (heed: Heed<DefaultCatalog>) => Inputs; readonly says: string };
  readonly inputs?: (heed: Heed<DefaultCatalog>) => Inputs;
  readonly seed?: number;
  readonly label?: string;
}

const PLACES = 12;
/** Keys from -2 to 2 in both features. */
const ACROSS = 25;
const CELL = 5;
const QUERY = [1, 0.5] as const;
const at = (step: number): number => (step / (ACROSS - 1)) * 4 - 2;
const steps = Array.from({ length: ACROSS }, (_, step) => step);

/** With parameters of a seed, as before any training. */
export const scorePanels: Readonly<Record<string, Panel>> = {
  dot: { score: scores.dot() },
  'scaled-dot': { score: scores.scaledDot() },
  cosine: { score: scores.cosine() },
  general: { score: scores.general(), seed: 3 },
  gaussian: { score: scores.gaussian() },
  'l2-distance': { score: scores.l2Distance() },
  laplace: { score: scores.laplace() },
  additive: { score: scores.additive({ hidden: 4 }), seed: 3, label: 'additive' },
  concat: { score: scores.concat({ hidden: 4 }), seed: 2, label: 'concat' },
  mlp: { score: scores.mlp({ hidden: 8, layers: 2 }), seed: 5, label: 'mlp, 2 hidden layers' },
  linear: { score: scores.linear(), seed: 2 },
  trilinear: { score: scores.trilinear(), seed: 4 },
  combination: {
    score: scores.combination({ terms: ['q', 'k', 'q-k'], activation: 'tanh' }),
    seed: 6,
    label: 'combination, tanh',
  },
  'location-base': {
    score: scores.locationBase({ positions: PLACES }),
    label: 'location-base',
    places: { inputs: () => ({}), says: 'a number for each place' },
  },
  'location-sensitive': {
    score: scores.locationSensitive({ hidden: 4, channels: 1 }),
    label: 'location-sensitive',
    seed: 2,
    places: {
      inputs: ({ tensor }) => ({
        features: scores.locationFeatures(
          tensor([Array.from({ length: PLACES }, (_, place) => (place === 4 ? 1 : 0))]),
          tensor([[-2, 0, 4]]),
        ),
      }),
      says: 'before: key 4',
    },
  },
  coverage: {
    score: scores.coverage({ hidden: 4 }),
    label: 'coverage',
    seed: 2,
    places: {
      inputs: ({ tensor }) => ({
        coverage: tensor([Array.from({ length: PLACES }, (_, place) => (place * 4) / (PLACES - 1))]),
      }),
      says: 'covered: 0 to 4',
    },
  },
};

async function drawn(
  heed: Heed<DefaultCatalog>,
  { score, inputs = () => ({}), places, seed = 1, label = score.label }: Panel,
): Promise<Drawing> {
  const attend = heed.attention({ score });
  const two = { feature: 2, queryFeature: 2, keyFeature: 2 };
  const params = heed.parameters(attend, { seed, sizes: two });
  const query = heed.tensor([[...QUERY]]);
  const read = async (keys: number[][], given: Inputs): Promise<number[]> =>
    Array.from(await attend.scores(query, heed.tensor(keys), { params, inputs: given }).read());
  if (places) {
    const row = await read(
      Array.from({ length: PLACES }, () => [0.5, 1]),
      places.inputs(heed),
    );
    return titled(bars(row, { width: ACROSS * CELL, height: 100 }), label, places.says);
  }
  const keys = steps.flatMap((down) => steps.map((across) => [at(across), -at(down)]));
  const row = await read(keys, inputs(heed));
  // What is added to all scores of a row changes no weight: colours are of the distance from their middle.
  const between = (Math.max(...row) + Math.min(...row)) / 2;
  const cells = matrix(
    steps.map((down) => row.slice(down * ACROSS, (down + 1) * ACROSS).map((one) => one - between)),
    { cell: CELL, gap: 0 },
  );
  const middle = (feature: number): number => ((feature + 2) / 4) * (ACROSS - 1) * CELL + CELL / 2;
  const dot = element('circle', { class: 'ink', cx: middle(QUERY[0]), cy: middle(-QUERY[1]), r: 3 });
  return titled({ ...cells, body: cells.body + dot }, label);
}

/** The figure: a plane of keys for each score, the most in blue, the least in orange, the query as a dot. */
export async function scoresFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const panels: Drawing[] = [];
  for (const panel of Object.values(scorePanels)) panels.push(await drawn(heed, panel));
  return figure(
    grid(panels, { columns: 4 }),
    'Scores of @heed/scores: how much a query, the dot, has to do with each key of a plane, from blue, the most, to orange, the ' +
      'least. The last three depend on the place of a key: a bar for each of 12 places.',
  );
}
