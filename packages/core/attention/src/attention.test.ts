import {
  add,
  gradients,
  matmul,
  mul,
  parameter,
  softmax as softmaxOf,
  sum,
  type Tensor,
  tensor,
} from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { attention, parameters } from './index.ts';
import {
  additive,
  bias,
  causal,
  centred,
  close,
  location,
  numbers,
  open,
  padding,
  relative,
  scaledDot,
  sigmoidal,
  sloped,
  softmax,
  sparsemax,
  temperature,
} from './parts.fixture.ts';

const small = 1e-12;

describe('attention', () => {
  it('is softmax(q kᵀ / sqrt(d)) v for the scaled dot product', async () => {
    const device = await open();
    const [q, k, v] = [numbers(device, 2, 3, 5, 4), numbers(device, 2, 3, 7, 4), numbers(device, 2, 3, 7, 6)];
    const attend = attention({ score: scaledDot(), normalizer: softmax() });
    const expected = matmul(
      softmaxOf(mul(matmul(q, k, { transposeB: true }), tensor(device, 0.5, { dtype: 'float64' })), {
        axis: -1,
      }),
      v,
    );
    expect(await close(attend(q, k, v), expected)).toBeLessThan(small);
  });

  it('takes [batch, length, feature] and [length, feature] and gives the same rank back', async () => {
    const device = await open();
    const attend = attention({ score: scaledDot(), normalizer: softmax() });
    const [q, k, v] = [numbers(device, 2, 5, 4), numbers(device, 2, 7, 4), numbers(device, 2, 7, 3)];
    const { context, weights, level } = attend(q, k, v, { weights: true, level: true });
    expect([context.shape, weights.shape, level?.shape]).toEqual([
      [2, 5, 3],
      [2, 5, 7],
      [2, 5],
    ]);
    const one = (t: Tensor) => t.slice(0, 1, 2).squeeze(0);
    expect(await close(attend(one(q), one(k), one(v)), one(context))).toBeLessThan(small);
  });

  it('lets groups of query heads share a key head', async () => {
    const device = await open();
    const attend = attention({ score: scaledDot(), normalizer: softmax() });
    const [q, k, v] = [numbers(device, 1, 4, 3, 2), numbers(device, 1, 2, 5, 2), numbers(device, 1, 2, 5, 2)];
    const twice = (t: Tensor) => t.unsqueeze(2).expand([1, 2, 2, 5, 2]).reshape([1, 4, 5, 2]);
    expect(await close(attend(q, k, v), attend(q, twice(k), twice(v)))).toBeLessThan(small);
  });

  it('gives zeros, level -infinity and no NaN where no key is allowed, whatever the rows hold', async () => {
    const device = await open();
    for (const normalizer of [softmax(), sparsemax(), sigmoidal()]) {
      const attend = attention({ score: additive({ hidden: 3 }), mask: padding(), normalizer });
      const [q, k, v] = [numbers(device, 2, 3, 4), numbers(device, 2, 5, 4), numbers(device, 2, 5, 2)];
      const poison = tensor(device, [1, 1, Number.NaN, Number.POSITIVE_INFINITY, 1], {
        dtype: 'float64',
      }).unsqueeze(-1);
      const lengths = tensor(device, [2, 0], { dtype: 'int32' });
      const params = parameters(attend, device, {
        seed: 1,
        sizes: { queryFeature: 4, keyFeature: 4, hidden: 3 },
        dtype: 'float64',
      });
      const rows = [q, mul(k, poison), mul(v, poison)].map((t) => parameter(t.detach())) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const call = { params, inputs: { lengths } };
      const { context, weights } = attend(...rows, { ...call, weights: true });
      const plain = attend(...rows, call);
      expect(await close(context, plain)).toBe(0);
      expect([...(await context.slice(0, 1, 2).read())].every((one) => one === 0)).toBe(true);
      expect([...(await weights.slice(2, 2, 5).read())].every((one) => one === 0)).toBe(true);
      sum(plain).backward();
      for (const one of [...rows, ...Object.values(params)]) {
        expect([...(await (one.gradient as Tensor).read())].every(Number.isFinite)).toBe(true);
      }
      expect([...(await (rows[1].gradient as Tensor).slice(0, 1, 2).read())].every((one) => one === 0)).toBe(
        true,
      );
      if (normalizer.part === 'sigmoidal') continue;
      const { level } = attend(...rows, { ...call, level: true });
      expect([...(await level.slice(0, 1, 2).read())]).toEqual([-Infinity, -Infinity, -Infinity]);
    }
  });

  it('asks nothing of the weights: asking changes no output, pooling sums keys and averages queries', async () => {
    const device = await open();
    const attend = attention({ score: scaledDot(), mask: causal(), normalizer: softmax() });
    const [q, k, v] = [numbers(device, 1, 1, 5, 4), numbers(device, 1, 1, 5, 4), numbers(device, 1, 1, 5, 3)];
    const { context, weights } = attend(q, k, v, { weights: true });
    const { weights: pooled } = attend(q, k, v, { weights: { pool: 2 } });
    expect(await close(context, attend(q, k, v))).toBe(0);
    const whole = (await weights.squeeze([0, 1]).toNested()) as number[][];
    const picture = (await pooled.squeeze([0, 1]).toNested()) as number[][];
    expect(picture[0]?.[0]).toBeCloseTo(
      ((whole[0]?.[0] as number) + (whole[1]?.[0] as number) + (whole[1]?.[1] as number)) / 2,
      12,
    );
    expect(picture[2]?.[2]).toBeCloseTo(whole[4]?.[4] as number, 12);
  });

  it('changes uniforms without a new kernel', async () => {
    const device = await open();
    const attend = attention({ score: scaledDot(), modifiers: [temperature()], normalizer: softmax() });
    const [q, k, v] = [numbers(device, 3, 4), numbers(device, 3, 4), numbers(device, 3, 2)];
    const cold = attend(q, k, v, { uniforms: { temperature: 0.1 } });
    const kernels = device.kernels;
    const hot = attend(q, k, v, { uniforms: { temperature: 10 } });
    expect(device.kernels).toBe(kernels);
    expect(await close(cold, hot)).toBeGreaterThan(0.01);
  });

  it('drops the same pairs for the same seed, and scales what it keeps', async () => {
    const device = await open();
    const attend = attention({ score: scaledDot(), normalizer: softmax(), dropout: 0.5 });
    const [q, k, v] = [numbers(device, 9, 4), numbers(device, 9, 4), numbers(device, 9, 2)];
    const plain = attend(q, k, v, { train: false, weights: true }).weights;
    const draw = (seed: number) => attend(q, k, v, { train: true, seed, weights: true }).weights;
    expect(await close(draw(3), draw(3))).toBe(0);
    expect(await close(draw(3), draw(4))).toBeGreaterThan(0);
    const [kept, all] = [await draw(3).read(), await plain.read()];
    const ratios = new Set(Array.from(kept, (one, i) => Math.round((one / (all[i] as number)) * 1e9) / 1e9));
    expect([...ratios].sort()).toEqual([0, 2]);
    expect(() => attend(q, k, v)).toThrow(/must say whether it trains/);
    expect(() => attend(q, k, v, { train: true })).toThrow(/needs a seed/);
  });

  it('applies modifiers in the order in which they are written', async () => {
    const device = await open();
    const [q, k] = [numbers(device, 4, 3), numbers(device, 4, 3)];
    const call = { inputs: { bias: numbers(device, 4, 4) }, uniforms: { temperature: 3 } };
    const a = attention({
      score: scaledDot(),
      modifiers: [bias(), temperature()],
      normalizer: softmax(),
    }).scores(q, k, call);
    const b = attention({
      score: scaledDot(),
      modifiers: [temperature(), bias()],
      normalizer: softmax(),
    }).scores(q, k, call);
    const dots = attention({ score: scaledDot(), normalizer: softmax() }).scores(q, k);
    const [x, y, d, e] = await Promise.all([a, b, dots, call.inputs.bias].map((t) => t.read()));
    expect(x?.[5]).toBeCloseTo(((d?.[5] as number) + (e?.[5] as number)) / 3, 12);
    expect(y?.[5]).toBeCloseTo((d?.[5] as number) / 3 + (e?.[5] as number), 12);
  });

  it('hoists what the head alone decides, and what only the query says of positions', async () => {
    const device = await open();
    const [q, k, v] = [numbers(device, 1, 2, 3, 4), numbers(device, 1, 2, 5, 4), numbers(device, 1, 2, 5, 2)];
    const scores = attention({ score: scaledDot(), modifiers: [sloped()], normalizer: softmax() }).scores(
      q,
      k,
    );
    const dots = attention({ score: scaledDot(), normalizer: softmax() }).scores(q, k);
    const [x, d] = [(await scores.toNested()) as number[][][][], (await dots.toNested()) as number[][][][]];
    expect(x[0]?.[1]?.[2]?.[0]).toBeCloseTo((d[0]?.[1]?.[2]?.[0] as number) - 2 ** -8 * 2, 12);
    const place = attention({ score: location({ positions: 16 }), normalizer: softmax() });
    const w = numbers(device, 16, 4);
    const raw = (await place.scores(q, k, { params: { w } }).toNested()) as number[][][][];
    const by = (await matmul(q, w, { transposeB: true }).toNested()) as number[][][][];
    expect(raw[0]?.[1]?.[2]?.[3]).toBeCloseTo(by[0]?.[1]?.[2]?.[3] as number, 12);
    expect(v.shape).toEqual([1, 2, 5, 2]);
  });

  it('keeps nothing alive: every buffer made on the way is gone when the results are', async () => {
    const device = await open();
    const attend = attention({ score: additive({ hidden: 3 }), mask: causal(), normalizer: softmax() });
    const params = parameters(attend, device, {
      seed: 1,
      sizes: { queryFeature: 4, keyFeature: 4, hidden: 3 },
      dtype: 'float64',
    });
    const [q, k, v] = [numbers(device, 2, 5, 4), numbers(device, 2, 5, 4), numbers(device, 2, 5, 2)];
    const before = device.live;
    attend(q, k, v, { params }).dispose();
    expect(device.live).toEqual(before);
    const { context, weights } = attend(q, k, v, { params, weights: true });
    const squares = mul(context, context);
    const loss = sum(squares);
    loss.backward();
    for (const one of [context, weights, squares, loss]) one.dispose();
    for (const one of Object.values(params)) one.clearGradient();
    expect(device.live).toEqual(before);
  });
});

describe('the gradient of attention', () => {
  const cases = {
    'scaled dot, causal': {
      options: { score: scaledDot(), mask: causal(), normalizer: softmax() },
      params: {},
    },
    additive: {
      options: { score: additive({ hidden: 3 }), normalizer: softmax() },
      params: { w: [3, 4], u: [3, 4], v: [3] },
    },
    'additive, sparsemax': {
      options: { score: additive({ hidden: 3 }), normalizer: sparsemax() },
      params: { w: [3, 4], u: [3, 4], v: [3] },
    },
    'a table by head': {
      options: { score: scaledDot(), modifiers: [relative({ reach: 2 })], normalizer: softmax() },
      params: { distances: [2, 5] },
    },
    'a weight by the query': {
      options: { score: scaledDot(), reweight: [centred()], normalizer: softmax() },
      params: { place: [4] },
    },
    'sigmoid, dropout': {
      options: { score: scaledDot(), dropout: 0.3, normalizer: sigmoidal() },
      params: {},
    },
    'a location score': {
      options: { score: location({ positions: 16 }), normalizer: softmax() },
      params: { w: [16, 4] },
    },
  } as const;

  for (const [name, { options, params: shapes }] of Object.entries(cases)) {
    it(`matches differences: ${name}`, async () => {
      const device = await open();
      const attend = attention(options);
      const rows = [numbers(device, 2, 2, 5, 4), numbers(device, 2, 1, 5, 4), numbers(device, 2, 1, 5, 3)];
      const names = Object.keys(shapes);
      const given = [
        ...rows,
        ...Object.values(shapes).map((shape) => numbers(device, ...(shape as readonly number[]))),
      ];
      const upstream = numbers(device, 2, 2, 5, 3);
      const ofWeights = numbers(device, 2, 2, 5, 5);
      const loss = (...[q, k, v, ...rest]: readonly Tensor[]): Tensor => {
        const params = Object.fromEntries(names.map((one, i) => [one, rest[i] as Tensor]));
        const { context, weights } = attend(q as Tensor, k as Tensor, v as Tensor, {
          params,
          weights: true,
          ...('dropout' in options ? { train: true, seed: 5 } : {}),
        });
        return add(sum(mul(context, upstream)), sum(mul(weights, ofWeights)));
      };
      const { gradients: found } = gradients(loss)(...given);
      const step = 1e-5;
      for (const [at, input] of given.entries()) {
        const numbersOf = (await input.read()) as unknown as Float64Array<ArrayBuffer>;
        const got = await (found[at] as Tensor).read();
        for (const i of [0, 1, Math.floor(input.size / 2), input.size - 1]) {
          const at1 = async (delta: number) => {
            const moved = numbersOf.slice();
            moved[i] = (moved[i] as number) + delta;
            return loss(
              ...given.map((one, j) => (j === at ? tensor(device, moved, { shape: input.shape }) : one)),
            ).item();
          };
          const difference = (((await at1(step)) as number) - ((await at1(-step)) as number)) / (2 * step);
          expect(got[i], `input ${at}, element ${i}`).toBeCloseTo(difference, 6);
        }
      }
    });
  }
});
