// What each normalizer makes of a row of scores.

import { createHeed, normalizers } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { bars, type Line, plot } from './draw/plot.ts';
import { type Drawing, figure } from './draw/svg.ts';

type Normalizer = ReturnType<typeof normalizers.softmax>;

interface Panel {
  readonly normalizer: Normalizer;
  readonly params?: Readonly<Record<string, number>>;
  readonly label?: string;
}

/** The scores of the row. */
const ROW = [2, 1.5, 1, 0.5, 0, -0.5, -1, -2];

export const normalizerPanels: Readonly<Record<string, Panel>> = {
  softmax: { normalizer: normalizers.softmax() },
  'softmax with a sink': { normalizer: normalizers.softmax({ sink: 'zero' }) },
  entmax: { normalizer: normalizers.entmax({ alpha: 1.25 }) },
  'entmax-1.5': { normalizer: normalizers.entmax15() },
  'adaptive-entmax': {
    normalizer: normalizers.adaptiveEntmax(),
    params: { alphas: 0.85 },
    label: 'adaptive-entmax, alpha 1.7',
  },
  sparsemax: { normalizer: normalizers.sparsemax() },
  hard: { normalizer: normalizers.hard() },
  sigmoid: { normalizer: normalizers.sigmoid() },
  relu: { normalizer: normalizers.relu({ divisor: 4 }) },
  identity: { normalizer: normalizers.identity() },
};

/** The weight of the first of two keys, over how much more its score is. */
const CURVES = ['softmax', 'entmax', 'entmax-1.5', 'sparsemax', 'hard'];
const differences = Array.from({ length: 97 }, (_, step) => step / 16 - 3);

/** The figure: the weights of one row by each, and of two keys over the difference of their scores. */
export async function normalizersFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const weigh = async ({ normalizer, params = {} }: Panel, row: readonly number[]): Promise<number[]> => {
    const key = heed.tensor(row.map((one) => [one]));
    const { weights } = heed.attention({ score: 'dot', normalizer })(heed.tensor([[1]]), key, key, {
      params: Object.fromEntries(Object.entries(params).map(([name, one]) => [name, heed.tensor([one])])),
      weights: true,
    });
    return Array.from(await weights.read());
  };
  const panels: Drawing[] = [titled(bars(ROW, { hue: 'brown' }), 'the scores')];
  for (const panel of Object.values(normalizerPanels)) {
    const row = await weigh(panel, ROW);
    const sum = row.reduce((all, one) => all + one, 0).toFixed(2);
    const most = Math.max(1, ...row.map(Math.abs));
    panels.push(titled(bars(row, { most }), panel.label ?? panel.normalizer.label, `sum ${sum}`));
  }
  const lines: Line[] = [];
  for (const name of CURVES) {
    const panel = normalizerPanels[name] as Panel;
    const points: [number, number][] = [];
    for (const x of differences) points.push([x, (await weigh(panel, [x, 0]))[0] as number]);
    lines.push({ label: panel.normalizer.label, points });
  }
  const x = { from: -3, to: 3, ticks: [-3, 0, 3], label: 'score above that of the other key' };
  const y = { from: 0, to: 1, ticks: [0, 0.5, 1] };
  panels.push(titled(plot(lines, { x, y, width: 190 }), 'the weight of one of two keys'));
  return figure(
    grid(panels, { columns: 4 }),
    'Normalizers of @heed/normalizers: the weights that each gives to a row of eight scores, and to one of two keys.',
  );
}
