// What a pooling looks at once it has learned what a sentence says, and which way directions look.

import { createHeed, layers, ops, type Tensor } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { bars } from './draw/plot.ts';
import { figure } from './draw/svg.ts';
import { learn, type Values } from './learn.ts';

/** Sentences of six words, and whether they are kind: one word tells. */
const reviews = [
  ['a good film with nice songs', 1],
  ['the plot was bad and long', 0],
  ['we had a truly good time', 1],
  ['a bad film with nice songs', 0],
  ['the plot was good and long', 1],
  ['we had a truly bad time', 0],
] as const;

const WIDTH = 8;

/** The figure of @heed/self. */
export async function selfFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const { device } = heed;
  const told = reviews.map(([line]) => line.split(' '));
  const vocabulary = [...new Set(told.flat())];
  const table = ops.normal(device, [vocabulary.length, WIDTH], { seed: 1, dtype: 'float64' });
  const ids = ops.tensor(
    device,
    told.map((line) => line.map((word) => vocabulary.indexOf(word))),
    { dtype: 'int32' },
  );
  const words = ops.take(table, ids);
  const kind = ops.tensor(
    device,
    reviews.map(([, one]) => one),
    { dtype: 'float64' },
  );

  const pool = (parameters?: Values) =>
    layers.attentionPooling(device, {
      ...{ width: WIDTH, hidden: 4, seed: 2, dtype: 'float64' },
      ...(parameters ? { parameters } : {}),
    });
  const start = { ...pool().parameters, judge: ops.zeros(device, [WIDTH], { dtype: 'float64' }) };
  const [learned] = await learn(
    device,
    start,
    ({ judge, ...own }) => {
      const verdict = ops.sigmoid(ops.matmul(pool(own)(words), judge as Tensor));
      return ops.mean(ops.square(ops.sub(verdict, kind)));
    },
    { after: [80] },
  );
  const { judge: _, ...own } = learned as Values;
  const { weights } = pool(own)(words, { weights: true });
  const seen = (await weights.toNested()) as number[][];
  const pooled = told
    .slice(0, 4)
    .map((line, i) => bars(seen[i] as number[], { labels: line, most: 1, width: 230, height: 50 }));

  const one = words.slice(0, 4, 5);
  const sides = await Promise.all(
    (['forward', 'backward'] as const).map(async (direction) => {
      const layer = layers.directionalAttention(device, {
        width: WIDTH,
        direction,
        seed: 6,
        dtype: 'float64',
      });
      const { weights } = layer(one, { weights: true });
      const mean = (await ops.mean(weights, { axis: -1 }).squeeze(0).toNested()) as number[][];
      const line = told[4] as string[];
      return titled(matrix(mean, { rows: line, columns: line, cell: 31 }), `directional, ${direction}`);
    }),
  );
  return figure(
    grid([titled(grid(pooled, { columns: 2 }), 'pooling, after 80 steps'), grid(sides, { columns: 2 })], {
      columns: 1,
    }),
    'Above, what attentionPooling looks at after it has learned from six sentences whether they are kind. Below, directionalAttention: ' +
      'what each word, in rows, looks at before and after it, the mean over features.',
  );
}
