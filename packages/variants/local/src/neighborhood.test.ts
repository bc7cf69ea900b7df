// The places around a place: the layer against attention written out place by place.

import { load, type Parameters, save } from '@heed/nn';
import { sparsemax } from '@heed/normalizers';
import type { Tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { neighborhoodAttention } from './index.ts';

const made = { channels: 4, heads: 2, size: 3, seed: 1, ...double } as const;

type Grid = number[][];
const nested = async (p: Parameters, name: string) => (await (p[name] as Tensor).toNested()) as never;
const times = (w: Grid, x: number[], b: number[]) =>
  w.map((row, i) => row.reduce((all, one, j) => all + one * x[j]!, b[i]!));

/** Every place by itself, over a list of its neighbors. */
async function written(p: Parameters, image: Tensor, edges: 'shift' | 'cut') {
  const [picture] = (await image.toNested()) as number[][][][];
  const [height, width] = [picture!.length, picture![0]!.length];
  const w: Record<string, { weight: Grid; bias: number[] }> = {};
  for (const name of ['query', 'key', 'value', 'output'])
    w[name] = { weight: await nested(p, `${name}.weight`), bias: await nested(p, `${name}.bias`) };
  const relative = (await nested(p, 'relative')) as unknown as number[][][];
  const by = (name: string, x: number[]) => times(w[name]!.weight, x, w[name]!.bias);
  const around = (here: number, length: number) => {
    const first =
      edges === 'cut' ? Math.max(0, here - 1) : Math.min(Math.max(0, here - 1), Math.max(0, length - 3));
    const last = edges === 'cut' ? Math.min(length - 1, here + 1) : Math.min(length - 1, first + 2);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  };
  return picture!.flatMap((row, y) =>
    row.flatMap((x, column) => {
      const q = by('query', x);
      const heads = [0, 1].flatMap((head) => {
        const near = around(y, height).flatMap((r) => around(column, width).map((c) => [r, c] as const));
        const scores = near.map(([r, c]) => {
          const k = by('key', picture![r]![c]!);
          const product = q[2 * head]! * k[2 * head]! + q[2 * head + 1]! * k[2 * head + 1]!;
          return product / Math.sqrt(2) + relative[head]![r - y + 2]![c - column + 2]!;
        });
        const all = scores.reduce((sum, one) => sum + Math.exp(one), 0);
        return [0, 1].map((f) =>
          near.reduce(
            (sum, [r, c], i) =>
              sum + (Math.exp(scores[i]!) / all) * by('value', picture![r]![c]!)[2 * head + f]!,
            0,
          ),
        );
      });
      return by('output', heads);
    }),
  );
}

describe('neighborhood attention', () => {
  for (const edges of ['shift', 'cut'] as const) {
    it(`${edges}: is attention over the places around, for images of any size`, async () => {
      const layer = neighborhoodAttention(device, { ...made, edges });
      for (const [height, width] of [
        [4, 5],
        [6, 3],
        [2, 4],
      ] as const) {
        const image = rows(height, 1, height, width, 4);
        const wanted = await written(layer.parameters, image, edges);
        const got = await layer(image).read();
        expect(got.length).toBe(wanted.length);
        for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(wanted[i]!, 12);
      }
    });
  }

  it('takes parts, and gives the weights', async () => {
    const layer = neighborhoodAttention(device, {
      ...made,
      normalizer: sparsemax(),
      relative: false,
      out: 3,
    });
    expect(Object.keys(layer.parameters)).not.toContain('relative');
    const { output, weights } = layer(rows(1, 2, 4, 5, 4), { weights: true });
    expect([output.shape, weights.shape]).toEqual([
      [2, 4, 5, 3],
      [2, 2, 20, 20],
    ]);
    const seen = (await weights.toNested()) as number[][][][];
    expect(seen[0]![0]![0]!.slice(3, 5)).toEqual([0, 0]);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    const options = { channels: 4, heads: 2, size: 3 };
    const { parameters } = neighborhoodAttention(device, made);
    await gradientCheck(
      ({ image, ...own }) =>
        neighborhoodAttention(device, { ...options, parameters: own as Parameters })(image as Tensor),
      { image: rows(2, 1, 3, 4, 4), ...parameters },
      { sample: 3 },
    );
  });

  it('is saved and loaded, drops while training, and leaves nothing behind', async () => {
    const image = rows(3, 1, 3, 3, 4);
    const [from, to] = [
      neighborhoodAttention(device, made),
      neighborhoodAttention(device, { ...made, seed: 2 }),
    ];
    load(to, await save(from));
    expect(await to(image).read()).toEqual(await from(image).read());
    const before = device.live;
    to(image).dispose();
    expect(device.live).toEqual(before);
    expect(() => neighborhoodAttention(device, { ...made, dropout: 0.5 })(image)).toThrow(
      'each call must say whether it trains',
    );
  });

  it('says what does not fit', () => {
    expect(() => neighborhoodAttention(device, { ...made, size: 4 })).toThrow(
      'neighborhood: the option "size" expects an odd number, so that a place is in the middle of its window, got 4.',
    );
    expect(() => neighborhoodAttention(device, { ...made, heads: 3 })).toThrow(
      'neighborhood: 4 channels are not divided by 3 heads.',
    );
    expect(() => neighborhoodAttention(device, made)(rows(1, 3, 3, 4))).toThrow(
      'neighborhood: expected [batch, height, width, channels] with 4 channels, got [3, 3, 4].',
    );
  });
});
