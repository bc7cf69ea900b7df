// Vectors of distances on the side of the values: Shaw's equation written out over all pairs.

import { causal, relativeKeys } from '@heed/masks';
import type { Parameters } from '@heed/nn';
import { concat, type Tensor, tensor, withoutGradients } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { keyValueCache, multiHead, pagePool } from './index.ts';

const close = async (got: Tensor, wanted: Tensor | number[]) => {
  const [a, b] = [await got.read(), Array.isArray(wanted) ? wanted : await wanted.read()];
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i] as number, 12);
};
const small = { width: 4, heads: 2, seed: 1, ...double } as const;
const eye = tensor(
  device,
  Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => Number(i === j))),
  double,
);

/** sum_j w_ij r[clamp(j - i, -n, n) + n] for a layer whose last projection changes nothing. */
async function written(layer: ReturnType<typeof multiHead>, x: Tensor, n: number, extra = 0) {
  const { weights } = layer(x, { weights: true });
  const [w, r] = [
    (await weights.toNested()) as number[][][][],
    (await (layer.parameters.relativeValues as Tensor).toNested()) as number[][],
  ];
  return w.flatMap((heads) =>
    heads[0]!.flatMap((_, i) =>
      heads.flatMap((head) =>
        [0, 1].map((feature) =>
          head[i]!.slice(0, head[i]!.length - extra).reduce(
            (all, one, j) => all + one * r[Math.min(Math.max(j - i, -n), n) + n]![feature]!,
            0,
          ),
        ),
      ),
    ),
  );
}

describe('relative values', () => {
  const x = rows(1, 2, 5, 4);
  // Values of nothing, and an output that is the context: what is left is what the distances bring.
  const bare = (distances: number, more: object = {}) =>
    multiHead(device, {
      ...small,
      bias: false,
      relativeValues: distances,
      ...more,
      parameters: {
        'value.weight': tensor(device, new Float64Array(16), { shape: [4, 4] }),
        'output.weight': eye,
      },
    });

  for (const n of [0, 1, 2, 4, 7]) {
    it(`adds a vector for each distance up to ${n}`, async () => {
      const layer = bare(2 * n + 1);
      await close(layer(x), await written(layer, x, n));
    });
  }

  it('sees no distance to keys that belong to no row, and changes no weight', async () => {
    const options = { zeroKey: true, learnedKey: true, mask: causal() };
    const layer = multiHead(device, { ...small, ...options, relativeValues: 3 });
    const plain = multiHead(device, {
      ...small,
      ...options,
      parameters: Object.fromEntries(
        Object.entries(layer.parameters).filter(([path]) => path !== 'relativeValues'),
      ),
    });
    await close(layer(x, { weights: true }).weights, plain(x, { weights: true }).weights);
    const pool = { weights: { pool: 2 } } as const;
    await close(layer(x, pool).weights, plain(x, pool).weights);
    // A learned value of nothing leaves the distances alone again.
    const zero = tensor(device, new Float64Array(4), { shape: [2, 2] });
    const only = multiHead(device, {
      ...small,
      ...options,
      bias: false,
      relativeValues: 3,
      parameters: {
        'value.weight': tensor(device, new Float64Array(16), { shape: [4, 4] }),
        'output.weight': eye,
        'extra.value': zero,
      },
    });
    await close(only(x), await written(only, x, 1, 2));
  });

  it('goes on with a cache, of any kind', async () => {
    const layer = multiHead(device, {
      ...small,
      relativeValues: 5,
      modifiers: [relativeKeys({ align: 'end', distances: 5 })],
      mask: causal({ align: 'end' }),
    });
    const whole = layer(x);
    const pool = pagePool(device, { pages: 8, page: 2, heads: 2, width: 2, dtype: 'float64' });
    for (const start of [keyValueCache(), pool.start(2)]) {
      const out = withoutGradients(device, () => {
        const first = layer(x.slice(1, 0, 3), { cache: start });
        return concat([first.output, layer(x.slice(1, 3), { cache: first.cache }).output], { axis: 1 });
      });
      await close(out, whole);
    }
  });

  it('differentiates', { timeout: 60_000 }, async () => {
    const options = { width: 4, heads: 2, relativeValues: 3, mask: causal() };
    const { parameters } = multiHead(device, { ...options, seed: 3, ...double });
    await gradientCheck(
      ({ x, ...own }) => multiHead(device, { ...options, parameters: own as Parameters })(x as Tensor),
      { x: rows(4, 1, 4, 4), ...parameters },
      { sample: 3 },
    );
  });

  it('refuses rows without a distance', () => {
    expect(() => multiHead(device, { ...small, relativeValues: 4 })).toThrow(
      'multi-head: the option "relativeValues" expects an odd number, n distances on either side and 0 between them, got 4.',
    );
    const layer = multiHead(device, { ...small, relativeValues: 3 });
    expect(() => layer(x, rows(2, 2, 3, 4))).toThrow(
      'multi-head: with relativeValues rows have distances, and there are 5 queries and 3 keys. Attend from a sequence to itself',
    );
  });
});
