import { defineScore } from '@heed/attention';
import { dot } from '@heed/expr';
import { reference } from '@heed/reference';
import {
  add,
  type Device,
  mean,
  mul,
  neg,
  openDevice,
  parameter,
  scope,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { movingBaseline, reinforce } from './reinforce.ts';
import { message } from './row.fixture.ts';
import { sampled } from './sampled.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice(reference());
});
afterAll(() => device.close());

const product = defineScore({ name: 'product', score: ({ q, k }) => dot(q, k) });
const draw = sampled({ score: product() });
const float64 = { dtype: 'float64' } as const;
const given = (data: number[] | number[][]): Tensor => tensor(device, data as number[][], float64);
const leaf = (data: number[][]): Tensor => parameter(scope(device, () => given(data)));
const gradientOf = async (of: Tensor): Promise<number[]> => Array.from((await of.gradient?.read()) ?? []);

// One query, three keys, one number as value; the reward of a context c is -(c - target)^2.
const [q, keys, values, target] = [
  [1, 0.5],
  [
    [1, 0],
    [0, 1],
    [1, 1],
  ],
  [[1], [2], [4]],
  1.5,
] as const;
const places = [0, 1, 2] as const;
const scores = keys.map(([a, b]) => q[0] * (a as number) + q[1] * (b as number));
const total = scores.reduce((all, e) => all + Math.exp(e), 0);
const p = scores.map((e) => Math.exp(e) / total);
const rewards = values.map(([c]) => -(((c as number) - target) ** 2));
const expectedOf = (f: (j: 0 | 1 | 2) => number): number =>
  places.reduce<number>((all, j) => all + (p[j] as number) * f(j), 0);
/** d log p_j / d q, in one feature. */
const score = (j: number, d: number): number =>
  (keys[j]?.[d] as number) - expectedOf((i) => keys[i]?.[d] as number);

/** One gradient of -reward for each draw, on average: what the whole loss gives for the query and for the values. */
async function estimated(draws: number, seed: number, baseline: number) {
  const [query, value] = [leaf([[...q]]), leaf(values.map((row) => [...row]))];
  const rows = add(zeros(device, [draws, 2], float64), query);
  const drawn = draw(rows, given(keys.map((row) => [...row])), value, { seed });
  const reward = neg(square(sub(drawn.context, target))).reshape([draws]);
  mean(sub(reinforce(drawn, reward, { baseline }), reward)).backward();
  return { query: await gradientOf(query), value: await gradientOf(value) };
}

describe('reinforce', () => {
  it.each([0, -1, expectedOf((j) => rewards[j] as number)])(
    'has, with the baseline %f, the gradient of the expected reward on average',
    async (baseline) => {
      const draws = 4000;
      const found = await estimated(draws, 11, baseline);
      for (const d of [0, 1]) {
        // d E[-r] / d q = -sum p_j r_j d log p_j / d q; a draw's own term has (r - baseline) in place of r.
        const exact = expectedOf((j) => -(rewards[j] as number) * score(j, d));
        const one = (j: number): number => -((rewards[j] as number) - baseline) * score(j, d);
        const deviation = Math.sqrt(expectedOf((j) => one(j) ** 2) - exact ** 2);
        // Five deviations of a mean over independent draws: one seed in two million is further away.
        const fair = (5 * deviation) / Math.sqrt(draws);
        expect(Math.abs((found.query[d] as number) - exact)).toBeLessThan(fair);
        // Without its term scores would have no gradient at all: the tolerance is far from that.
        expect(fair).toBeLessThan(Math.abs(exact) / 2);
      }
      for (const j of places) {
        const chance = p[j] as number;
        const slope = 2 * ((values[j]?.[0] as number) - target);
        const fair = (5 * Math.abs(slope) * Math.sqrt(chance * (1 - chance))) / Math.sqrt(draws);
        expect(Math.abs((found.value[j] as number) - chance * slope)).toBeLessThan(fair);
      }
    },
  );

  it('gives a batch entry the reward of all of its draws', async () => {
    const rows = (seed: number): Tensor =>
      tensor(
        device,
        Array.from({ length: 12 }, (_, at) => Math.sin(at + seed)),
        { ...float64, shape: [2, 1, 3, 2] },
      );
    const drawn = draw(rows(1), rows(2), rows(3), { seed: 4 });
    const [log, found] = [
      (await drawn.logProbability.toNested()) as number[][][],
      Array.from(await reinforce(drawn, given([2, -3]), { baseline: 1 }).read()),
    ];
    const sums = log.map((entry) => entry.flat().reduce((all, one) => all + one, 0));
    expect(found).toEqual([
      expect.closeTo(-(sums[0] as number), 12),
      expect.closeTo(4 * (sums[1] as number), 12),
    ]);
    const each = reinforce(drawn, drawn.logProbability.detach());
    expect(each.shape).toEqual([2, 1, 3]);
  });

  it('adds the entropy of the probabilities, with its gradient', async () => {
    const key = given(keys.map((row) => [...row]));
    const term = ({ query }: Readonly<Record<string, Tensor>>): Tensor =>
      reinforce(draw(query as Tensor, key, key, { seed: 1 }), zeros(device, [1], float64), { entropy: 0.5 });
    const entropy = -expectedOf((j) => Math.log(p[j] as number));
    const query = given([[...q]]);
    expect((await term({ query }).read())[0]).toBeCloseTo(-0.5 * entropy, 14);
    const { worst } = await gradientCheck(term, { query });
    expect(worst.error).toBeLessThan(1e-8);
  });

  it('trains a query to draw the key that is worth most', async () => {
    const [query, key] = [leaf([[0, 0]]), given(keys.map((row) => [...row]))];
    const worth = given([[0], [1], [3]]);
    let [at, baseline]: [Tensor, Tensor | number] = [query, 0];
    for (let step = 0; step < 150; step++) {
      const drawn = draw(at, key, worth, { seed: step });
      const reward = drawn.context.reshape([1]);
      sum(reinforce(drawn, reward, { baseline, entropy: 0.002 })).backward();
      baseline = movingBaseline(baseline, reward);
      const next = sub(at, mul(at.gradient as Tensor, 0.2));
      at = parameter(next.detach());
    }
    const { probabilities } = draw(at, key, worth, { seed: 0 });
    expect((await probabilities.read())[2]).toBeGreaterThan(0.8);
  });

  it('says which reward, baseline and entropy it cannot take', () => {
    const rows = zeros(device, [2, 1, 3, 2]);
    const drawn = draw(rows, rows, rows, { seed: 1 });
    const reward = (shape: number[]) => zeros(device, shape);
    expect([
      message(() => reinforce(drawn, reward([3]))),
      message(() => reinforce(drawn, reward([2, 1, 3, 1]))),
      message(() => reinforce(drawn, reward([2]), { baseline: zeros(device, [5, 2]) })),
      message(() => reinforce(drawn, reward([2]), { entropy: -1 })),
      message(() => movingBaseline(0, reward([2]), { decay: 1.5 })),
    ]).toMatchInlineSnapshot(`
      [
        "ShapeError: reinforce: expected a reward of the first axes of logProbability, [2, 1, 3], got [3]. Give one to each draw, or one to all draws of a batch entry.",
        "ShapeError: reinforce: expected a reward of the first axes of logProbability, [2, 1, 3], got [2, 1, 3, 1]. Give one to each draw, or one to all draws of a batch entry.",
        "ShapeError: reinforce: expected a baseline that broadcasts to the reward, [2], and it makes [5, 2] of it.",
        "ValueError: reinforce: the option "entropy" expects a finite number of at least 0, got -1.",
        "ValueError: movingBaseline: the option "decay" expects a finite number of at least 0 and at most 1, got 1.5.",
      ]
    `);
  });
});

describe('movingBaseline', () => {
  it('is the moving average of the paper, from numbers and from tensors', async () => {
    const first = movingBaseline(0, given([1, 3]));
    expect((await first.read())[0]).toBeCloseTo(0.2, 15);
    expect((await movingBaseline(first, given([4]), { decay: 0.5 }).read())[0]).toBeCloseTo(2.1, 15);
    expect(movingBaseline(0, leaf([[1]])).tracked).toBe(false);
  });
});
