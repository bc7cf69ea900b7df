// A convolution with attention beside it: both halves written out place by place.

import { load, type Parameters, save } from '@heed/nn';
import type { Tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { augmentedConvolution } from './index.ts';

const sizes = { in: 3, out: 7, attended: 4, hidden: 6, heads: 2, size: 3, reach: 1 } as const;

type Grid = number[][];
const nested = async <T>(p: Parameters, name: string) => (await (p[name] as Tensor).toNested()) as T;
const inner = (a: readonly number[], b: readonly number[]) => a.reduce((all, one, i) => all + one * b[i]!, 0);
const cut = (apart: number, reach: number) => Math.min(Math.max(apart, -reach), reach) + reach;

async function written(p: Parameters, image: Tensor) {
  const [x] = (await image.toNested()) as number[][][][];
  const filter = await nested<number[][][][]>(p, 'convolution.weight');
  const filterBias = await nested<number[]>(p, 'convolution.bias');
  const by: Record<string, (x: number[]) => number[]> = {};
  for (const name of ['query', 'key', 'value', 'output']) {
    const [w, b] = [await nested<Grid>(p, `${name}.weight`), await nested<number[]>(p, `${name}.bias`)];
    by[name] = (x) => w.map((row, i) => inner(row, x) + b[i]!);
  }
  const [down, across] = [await nested<Grid>(p, 'down'), await nested<Grid>(p, 'across')];
  const places = x!.flatMap((row, y) => row.map((features, column) => ({ y, column, features })));
  return places.flatMap((here) => {
    const convolved = filter.map((channel, o) =>
      places.reduce((all, { y, column, features }) => {
        const [r, s] = [y - here.y + 1, column - here.column + 1];
        if (r < 0 || r > 2 || s < 0 || s > 2) return all;
        return all + features.reduce((sum, one, c) => sum + one * channel[c]![r]![s]!, 0);
      }, filterBias[o]!),
    );
    const seen = [0, 1].flatMap((head) => {
      const part = (of: number[], size: number) => of.slice(head * size, (head + 1) * size);
      const q = part(by.query!(here.features), 3);
      const scores = places.map(({ y, column, features }) => {
        const k = part(by.key!(features), 3);
        const apart = q.map(
          (_, f) => k[f]! + across[cut(column - here.column, 1)]![f]! + down[cut(y - here.y, 1)]![f]!,
        );
        return Math.exp(inner(q, apart) / Math.sqrt(3));
      });
      const total = scores.reduce((all, one) => all + one, 0);
      return [0, 1].map((f) =>
        places.reduce(
          (all, { features }, j) => all + (scores[j]! / total) * part(by.value!(features), 2)[f]!,
          0,
        ),
      );
    });
    return [...convolved, ...by.output!(seen)];
  });
}

describe('augmented convolution', () => {
  const layer = augmentedConvolution(device, { ...sizes, seed: 1, ...double });

  it('is a convolution beside attention with vectors for rows and columns apart, for images of any size', async () => {
    for (const [height, width] of [
      [3, 4],
      [4, 2],
    ] as const) {
      const image = rows(height, 1, height, width, 3);
      const [got, wanted] = [layer(image), await written(layer.parameters, image)];
      expect(got.shape).toEqual([1, height, width, 7]);
      const numbers = await got.read();
      for (let i = 0; i < wanted.length; i++) expect(numbers[i]).toBeCloseTo(wanted[i]!, 12);
    }
    const { weights } = layer(rows(1, 2, 2, 3, 3), { weights: true });
    expect(weights.shape).toEqual([2, 2, 6, 6]);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    await gradientCheck(
      ({ image, ...own }) =>
        augmentedConvolution(device, { ...sizes, parameters: own as Parameters })(image as Tensor),
      { image: rows(2, 1, 2, 3, 3), ...layer.parameters },
      { sample: 3 },
    );
  });

  it('is saved and loaded, and leaves nothing behind', async () => {
    const image = rows(3, 1, 3, 3, 3);
    const other = augmentedConvolution(device, { ...sizes, seed: 2, ...double });
    load(other, await save(layer));
    expect(await other(image).read()).toEqual(await layer(image).read());
    const before = device.live;
    other(image).dispose();
    expect(device.live).toEqual(before);
  });

  it('says what does not fit', () => {
    expect(() => augmentedConvolution(device, { ...sizes, attended: 7, seed: 1 })).toThrow(
      'augmented-convolution: 7 of 7 features come from attention, and none is left for the convolution.',
    );
    expect(() => augmentedConvolution(device, { ...sizes, heads: 3, seed: 1 })).toThrow(
      'augmented-convolution: attended and hidden must be divided by 3 heads, got 4 and 6.',
    );
    expect(() => augmentedConvolution(device, { ...sizes, size: 2, seed: 1 })).toThrow(
      'convolution: the option "size" expects an odd number',
    );
    expect(() => layer(rows(1, 3, 3, 3))).toThrow(
      'augmented-convolution: expected [batch, height, width, in] with 3 channels, got [3, 3, 3].',
    );
  });
});
