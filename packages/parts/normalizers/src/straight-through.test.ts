import { attention, defineScore } from '@heed/attention';
import { dot } from '@heed/expr';
import { reference } from '@heed/reference';
import { openDevice, parameter, scope, sum, tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { hard } from './hard.ts';
import { sampled } from './sampled.ts';
import { softmax } from './softmax.ts';
import { straightThrough } from './straight-through.ts';

const product = defineScore({ name: 'product', score: ({ q, k }) => dot(q, k) });
const options = { dtype: 'float64' } as const;
const [q, k, v] = [
  [[1, 0.5]],
  [
    [1, 0],
    [0, 1],
    [1, 1],
  ],
  [[1], [2], [5]],
];

describe('straightThrough', () => {
  it('is hard forward, and soft backward for query and key', async () => {
    const device = await openDevice(reference());
    const leaves = (): [ReturnType<typeof tensor>, ReturnType<typeof tensor>, ReturnType<typeof tensor>] =>
      scope(device, () => [
        tensor(device, q, options),
        tensor(device, k, options),
        tensor(device, v, options),
      ]).map((one) => parameter(one)) as never;
    const [query, key, value] = leaves();
    const { context, weights } = straightThrough({ score: product() })(query, key, value);
    expect([await context.toNested(), await weights.toNested()]).toEqual([[[5]], [[0, 0, 1]]]);
    sum(context).backward();
    const [soft, firm] = [leaves(), leaves()];
    sum(attention({ score: product(), normalizer: softmax() })(...soft)).backward();
    sum(attention({ score: product(), normalizer: hard() })(...firm)).backward();
    const gradient = async (of: typeof query) => Array.from((await of.gradient?.read()) ?? []);
    expect(await gradient(query)).toEqual(await gradient(soft[0]));
    expect(await gradient(key)).toEqual(await gradient(soft[1]));
    expect(await gradient(value)).toEqual(await gradient(firm[2]));
    expect(await gradient(value)).toEqual([0, 0, 1]);
    await device.close();
  });
});

describe('sampled', () => {
  it('draws keys as often as softmax weighs them, and says how probable each draw was', async () => {
    const device = await openDevice(reference());
    const rows = 400;
    const query = tensor(
      device,
      Array.from({ length: rows }, () => q[0] as number[]),
      options,
    );
    const [key, value] = [tensor(device, k, options), tensor(device, v, options)];
    const { weights, logProbability } = sampled({ score: product() })(query, key, value, { seed: 5 });
    const soft = (await attention({ score: product(), normalizer: softmax() })(query, key, value, {
      weights: true,
    }).weights.toNested()) as number[][];
    const drawn = (await weights.toNested()) as number[][];
    const probable = (await logProbability.toNested()) as number[];
    for (const [j, expected] of (soft[0] as number[]).entries()) {
      const share = drawn.filter((row) => row[j] === 1).length / rows;
      // Five deviations of a share.
      expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / rows));
      const at = drawn.findIndex((row) => row[j] === 1);
      expect(probable[at]).toBeCloseTo(Math.log(expected), 12);
    }
    await device.close();
  });

  it("has REINFORCE's gradient: the mean over draws of (reward - baseline) times that of the logarithm", async () => {
    const device = await openDevice(reference());
    const [query, key, value] = [q, k, v].map((rows) => tensor(device, rows, options)) as [
      never,
      never,
      never,
    ];
    const leaf = parameter(scope(device, () => tensor(device, q, options)));
    sum(sampled({ score: product() })(leaf, key, value, { seed: 1 }).logProbability).backward();
    const { weights } = sampled({ score: product() })(query, key, value, { seed: 1 });
    const soft = attention({ score: product(), normalizer: softmax() })(query, key, value, {
      weights: true,
    }).weights;
    const [chosen, p] = [
      ((await weights.toNested()) as number[][])[0],
      ((await soft.toNested()) as number[][])[0],
    ] as [number[], number[]];
    // d log p_c / d q = k_c - sum p_j k_j.
    const expected = [0, 1].map((d) =>
      k.reduce((all, row, j) => all + ((chosen[j] as number) - (p[j] as number)) * (row[d] as number), 0),
    );
    const got = Array.from((await leaf.gradient?.read()) ?? []);
    for (const [d, one] of expected.entries()) expect(got[d]).toBeCloseTo(one, 12);
    await device.close();
  });
});
