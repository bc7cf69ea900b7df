// Windows that go with the step, that are predicted, and those of an image.

import { createHeed, layers, ops, type Tensor } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { figure } from './draw/svg.ts';

const SIDE = 9;

/** The figure of @heed/local. */
export async function localFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const { device } = heed;
  const normal = (seed: number, ...shape: number[]): Tensor =>
    ops.normal(device, shape, { seed, dtype: 'float64' });
  const [states, memory] = [normal(1, 1, 12, 4), normal(2, 1, 16, 6)];
  const shared = { queryWidth: 4, memoryWidth: 6, seed: 4, dtype: 'float64' } as const;
  const kinds = {
    'local-m, window: 2': layers.localAttention(device, { ...shared, kind: 'local-m', window: 2 }),
    'local-p, window: 4': layers.localAttention(device, { ...shared, kind: 'local-p', window: 4 }),
  };
  const lines = await Promise.all(
    Object.entries(kinds).map(async ([name, layer]) => {
      const weights = (await layer(states, memory, { weights: true })
        .weights.squeeze(0)
        .toNested()) as number[][];
      return titled(matrix(weights, { cell: 11 }), name);
    }),
  );
  const image = layers.neighborhoodAttention(device, { channels: 4, size: 5, seed: 3, dtype: 'float64' });
  const { weights } = image(normal(4, 1, SIDE, SIDE, 4), { weights: true });
  const seen = ((await weights.squeeze([0, 1]).toNested()) as number[][]) ?? [];
  const places = {
    'neighborhood of a corner': 0,
    'of the middle': (SIDE * SIDE - 1) / 2,
    'of an edge': 5 * SIDE - 1,
  };
  const pictures = Object.entries(places).map(([name, place]) =>
    titled(
      matrix(
        Array.from({ length: SIDE }, (_, y) => (seen[place] as number[]).slice(y * SIDE, (y + 1) * SIDE)),
        { cell: 14 },
      ),
      name,
    ),
  );
  return figure(
    grid([grid(lines, { columns: 2 }), grid(pictures, { columns: 3 })], { columns: 1 }),
    'Above, localAttention: for each of 12 steps, from the top, the weights of 16 keys. Below, neighborhoodAttention(size: 5) over 9 x 9 ' +
      'places: what three of them see.',
  );
}
