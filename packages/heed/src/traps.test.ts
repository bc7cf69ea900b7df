// What went wrong elsewhere, and what heed does. Each test is named by the trap; the threads are those of the projects named.

import { webgpu } from '@heed/webgpu';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { swiftshader } from '../../backends/webgpu/src/adapters.fixture.ts';
import {
  createHeed,
  type DefaultCatalog,
  defineMask,
  defineNormalizer,
  defineScore,
  formula,
  type Heed,
  HeedError,
  masks,
  normalizers,
  ops,
  parameter,
  type Tensor,
} from './index.ts';
import { maskSamples, normalizerSamples } from './samples.fixture.ts';

vi.setConfig({ testTimeout: 60_000 });

let heed: Heed<DefaultCatalog>;
beforeAll(async () => {
  heed = await createHeed();
});
afterAll(() => heed.close());

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
};
const rows = (length: number, width = 2, seed = 1): Tensor =>
  ops.normal(heed.device, [length, width], { seed });
const picture = async (weights: Tensor): Promise<string[]> =>
  ((await weights.toNested()) as number[][]).map((row) => row.map((one) => (one > 0 ? '#' : '.')).join(''));
const numbers = async (of: Tensor): Promise<number[]> => Array.from(await of.read());

describe('alignment', () => {
  it('causal masks of unlike lengths are top-left here and bottom-right there (pytorch#108108, onnx#8068): nothing is guessed', async () => {
    const [q, k] = [rows(2), rows(4)];
    expect(message(() => heed.attention({ score: 'dot', mask: 'causal' })(q, k, k))).toContain(
      'say which ends line up',
    );
    const draw = (align: 'start' | 'end') =>
      picture(
        heed.attention({ score: 'dot', mask: { name: 'causal', align } })(q, k, k, { weights: true }).weights,
      );
    expect([await draw('start'), await draw('end')]).toEqual([
      ['#...', '##..'],
      ['###.', '####'],
    ]);
  });

  it('a window of W is W keys, or W + 1, or 2 W + 1 (transformers#29623, vllm#3385, flash-attention#1133): both sides are said', async () => {
    const x = rows(6);
    const seen = async (mask: ReturnType<typeof masks.window>) =>
      (
        (await picture(
          heed.attention({ score: 'dot', mask })(x, x, x, { weights: true }).weights,
        )) as string[]
      )[4];
    expect(await seen(masks.window({ left: 2, right: 0 }))).toBe('..###.');
    expect(await seen(masks.fromKerasWindow(2, { causal: true }))).toBe('...##.');
    expect(await seen(masks.fromFlashWindow(2, 0))).toBe('..###.');
    // @ts-expect-error: one number is no window
    expect(message(() => masks.window({ window: 2 }))).toContain('takes align, left, right, offset');
  });
});

describe('weights', () => {
  it('fast kernels cannot show their weights (pytorch#98505, transformers#31990): any attention shows them', async () => {
    const x = rows(5);
    const { weights } = heed.attention({ score: 'scaled-dot', mask: 'causal' })(x, x, x, { weights: true });
    expect((await numbers(ops.sum(weights, { axis: -1 }))).map((one) => one.toFixed(5))).toEqual(
      Array.from({ length: 5 }, () => '1.00000'),
    );
  });

  it('asking to see weights changes the output (torch MultiheadAttention: 0 becomes NaN; keras#23038: the mask is dropped): not a bit', async () => {
    const x = rows(7);
    const lengths = heed.tensor([0], { dtype: 'int32' });
    for (const mask of [['causal'], ['causal', 'padding']] as const) {
      const attend = heed.attention({ score: 'dot', mask });
      const call = mask.length === 2 ? { inputs: { lengths } } : {};
      const [bare, beside] = [
        attend(x, x, x, call),
        attend(x, x, x, { ...call, weights: true, level: true }).context,
      ];
      expect(await numbers(bare)).toEqual(await numbers(beside));
    }
  });
});

describe('rows in which nothing is allowed', () => {
  it.each(Object.entries(normalizerSamples))(
    'give NaN, the mean, or the unmasked result (pytorch#41508, entmax#17, onnxruntime): %s gives zeros, and gradients of zero',
    async (_, normalizer) => {
      const [q, k, v] = [1, 2, 3].map((seed) => parameter(rows(3, 2, seed))) as [Tensor, Tensor, Tensor];
      const attend = heed.attention({ score: 'dot', mask: 'padding', normalizer });
      const params = heed.parameters(attend, { seed: 1, heads: 1, sizes: { feature: 2 } });
      const inputs = { lengths: heed.tensor([0], { dtype: 'int32' }) };
      const { context, weights } = attend(q, k, v, { inputs, params, weights: true });
      expect([...(await numbers(context)), ...(await numbers(weights))].every((one) => one === 0)).toBe(true);
      ops.sum(ops.add(context, 1)).backward();
      for (const one of [q, k, v])
        expect(one.gradient === null || (await numbers(one.gradient)).every((n) => n === 0)).toBe(true);
    },
  );

  it.each(Object.entries(maskSamples).filter(([, { inputs }]) => 'lengths' in inputs || 'allowed' in inputs))(
    'NaN in padded keys reaches outputs and gradients (pytorch#101967): with %s it reaches neither',
    async (name, mask) => {
      const q = parameter(rows(2));
      const dirty = heed.tensor([
        [1, 2],
        [NaN, Infinity],
      ]);
      const inputs = (
        name === 'padding'
          ? { lengths: heed.tensor([1], { dtype: 'int32' }) }
          : {
              allowed: heed.tensor([
                [true, false],
                [true, false],
              ]),
            }
      ) as Record<string, Tensor>;
      const context = heed.attention({ score: 'dot', mask })(q, dirty, dirty, { inputs });
      expect(await numbers(context)).toEqual([1, 2, 1, 2]);
      ops.sum(context).backward();
      expect((await numbers(q.gradient as Tensor)).every(Number.isFinite)).toBe(true);
    },
  );

  it('valid scores far below zero vanish beside masked ones set to zero (AllenNLP, See et al.: masked after the softmax): they keep their weights', async () => {
    const q = heed.tensor([[1]]);
    const k = heed.tensor([[-200], [-201], [5]]);
    const { weights } = heed.attention({ score: 'dot', mask: 'padding' })(q, k, k, {
      inputs: { lengths: heed.tensor([2], { dtype: 'int32' }) },
      weights: true,
    });
    const e = Math.E;
    for (const [j, one] of [e / (e + 1), 1 / (e + 1), 0].entries())
      expect((await numbers(weights))[j]).toBeCloseTo(one, 5);
  });
});

describe('masks', () => {
  it('true means masked here and allowed there (pytorch#170400, x-transformers#164): true takes part, and converters turn the others round', async () => {
    const x = rows(2);
    const mask = heed.tensor([[true, false]]);
    const attend = heed.attention({ score: 'dot', mask: 'allowed' });
    const seen = (allowed: Tensor) =>
      picture(attend(x, x, x, { inputs: { allowed }, weights: true }).weights);
    expect(await seen(mask)).toEqual(['#.', '#.']);
    expect(await seen(masks.fromKeyPaddingMask(mask))).toEqual(['.#', '.#']);
  });

  it('a float mask is taken for a boolean, and so inverted (Keras MultiHeadAttention): it is refused, with the part to use', () => {
    const x = rows(2);
    const allowed = heed.tensor([[0, -1e9]]);
    expect(
      message(() => heed.attention({ score: 'dot', mask: 'allowed' })(x, x, x, { inputs: { allowed } })),
    ).toMatchInlineSnapshot(
      `"DTypeError: attention: "allowed" is declared as bool, got Tensor(float32 [1, 2]). A mask says which pairs take part (true does); numbers to add to the score are a bias, another part."`,
    );
  });

  it('a mask is dropped in silence with a custom attention (transformers#45811) or dropout (keras#23038): it holds with any of both', async () => {
    const { dot, tanh } = formula;
    const own = defineScore({ name: 'own', score: ({ q, k }) => tanh(dot(q, k)) });
    const x = rows(4);
    const attend = heed.use(own).attention({ score: 'own', mask: 'causal', dropout: 0.5 });
    const { weights } = attend(x, x, x, { train: true, seed: 1, weights: true });
    const seen = (await weights.toNested()) as number[][];
    for (const [i, row] of seen.entries())
      for (const [j, one] of row.entries()) if (j > i) expect(one).toBe(0);
    expect(message(() => attend(x, x, x))).toContain('each call must say whether it trains');
  });

  it('making a block mask takes memory and time that grow with the square (pytorch#134756): a mask is a condition, and nothing is made', async () => {
    const x = rows(3000, 4);
    const context = heed.attention({ score: 'dot', mask: { name: 'window', left: 8, right: 0 } })(x, x, x);
    expect(context.shape).toEqual([3000, 4]);
    expect((await numbers(context)).every(Number.isFinite)).toBe(true);
  });

  it('patterns must be built from blocks that a kernel knows (flash-attention#352, #1179): any condition on places will do', async () => {
    const { eq, mod, add } = formula;
    const checkered = defineMask({
      name: 'checkered',
      allowed: ({ query, key }) => eq(mod(add(query, key), 2), 0),
    });
    const x = rows(3);
    const attend = heed.use(checkered).attention({ score: 'dot', mask: 'checkered' });
    expect(await picture(attend(x, x, x, { weights: true }).weights)).toEqual(['#.#', '.#.', '#.#']);
  });
});

describe('scores and normalizers', () => {
  it('a reduction over features cannot be compiled in a score (pytorch#148107, #152593): it is what a score is made of', async () => {
    const { exp, neg, square, sub, sum } = formula;
    const rbf = defineScore({ name: 'rbf', score: ({ q, k }) => exp(neg(sum(square(sub(q, k))))) });
    const x = heed.tensor([
      [0, 0],
      [1, 0],
    ]);
    const scores = heed.use(rbf).attention({ score: 'rbf' }).scores(x, x);
    for (const [i, one] of [1, Math.exp(-1), Math.exp(-1), 1].entries())
      expect((await numbers(scores))[i]).toBeCloseTo(one, 6);
  });

  it('the fused path knows softmax alone (attention-gym#116, #117, pytorch#153221): a normalizer is one line', async () => {
    const { exp, add, div } = formula;
    const own = defineNormalizer({
      name: 'own',
      weight: ({ score }) => div(exp(score), add(exp(score), 3)),
      level: 'none',
    });
    const x = heed.tensor([[0]]);
    const attend = heed.use(own).attention({ score: 'dot', normalizer: 'own' });
    expect(await numbers(attend(x, x, x, { weights: true }).weights)).toEqual([0.25]);
  });

  it('a learned bias or score parameter gets no gradient, or crashes (attention-gym#20, pytorch#145208): each gets its own', async () => {
    const x = rows(4);
    const attend = heed.attention({ score: 'additive', modifiers: ['bias'], mask: 'causal' });
    const params = heed.parameters(attend, { seed: 1, sizes: { queryFeature: 2, keyFeature: 2 } });
    const bias = parameter(ops.zeros(heed.device, [4, 4]));
    ops.sum(ops.square(attend(x, x, x, { params, inputs: { bias } }))).backward();
    for (const one of [...Object.values(params), bias])
      expect((await numbers(one.gradient as Tensor)).some((n) => n !== 0)).toBe(true);
  });

  it('training on a CPU is not supported (pytorch#148752): the call above was', () => {
    expect(heed.device.name).toBe('cpu');
  });

  it('sinks cannot be said, or are said afterwards (transformers#41026, flash-attention#1802): they are an option of softmax', async () => {
    const x = heed.tensor([[0]]);
    for (const sink of ['zero', 'learned', 'given'] as const) {
      const attend = heed.attention({ score: 'dot', normalizer: { name: 'softmax', sink } });
      const { weights } = attend(x, x, x, {
        weights: true,
        ...(sink === 'learned' ? { params: { sinks: heed.tensor([0]) } } : {}),
        ...(sink === 'given' ? { inputs: { sinkScores: heed.tensor([0]) } } : {}),
      });
      expect((await numbers(weights))[0]).toBeCloseTo(0.5, 6);
    }
  });

  it('"additive" has no projections (tensorflow#39332): it has those of the paper, and rows may differ in width', () => {
    const attend = heed.attention({ score: 'additive' });
    const params = heed.parameters(attend, { seed: 1, sizes: { queryFeature: 3, keyFeature: 5 } });
    expect(Object.entries(params).map(([name, { shape }]) => [name, [...shape]])).toEqual([
      ['w', [64, 3]],
      ['u', [64, 5]],
      ['v', [64]],
    ]);
  });

  it('coverage changes the memory in place, or is never masked (OpenNMT-py#179, #272, #867): it is an input, and the memory is as it was', async () => {
    const [q, memory] = [rows(1), rows(3, 2, 2)];
    const before = await numbers(memory);
    const attend = heed.attention({ score: 'coverage', mask: 'padding' });
    const params = heed.parameters(attend, { seed: 1, sizes: { queryFeature: 2, keyFeature: 2 } });
    let coverage: Tensor = ops.zeros(heed.device, [1, 3]);
    for (let t = 0; t < 2; t++) {
      const inputs = { coverage, lengths: heed.tensor([2], { dtype: 'int32' }) };
      coverage = ops.add(coverage, attend(q, memory, memory, { params, inputs, weights: true }).weights);
    }
    const had = await numbers(coverage);
    expect([(had[0] as number) + (had[1] as number), had[2]]).toEqual([expect.closeTo(2, 5), 0]);
    expect(await numbers(memory)).toEqual(before);
  });

  it('the mechanism remembers a memory that is stale (addons#461, #535): an attention holds nothing between calls', async () => {
    const attend = heed.attention({ score: 'dot' });
    const [q, a, b] = [rows(1), rows(2, 2, 2), rows(3, 2, 3)];
    const first = await numbers(attend(q, a, a));
    await numbers(attend(q, b, b));
    expect(await numbers(attend(q, a, a))).toEqual(first);
  });
});

describe('combinations and errors', () => {
  it('one buffer for query, key and value fails or gives something else (pytorch#157612): its gradients are summed', async () => {
    const x = parameter(rows(3));
    const [q, k, v] = [1, 2, 3].map(() => parameter(rows(3))) as [Tensor, Tensor, Tensor];
    const attend = heed.attention({ score: 'dot' });
    ops.sum(ops.square(attend(x, x, x))).backward();
    ops.sum(ops.square(attend(q, k, v))).backward();
    const parts = await Promise.all([q, k, v].map((one) => numbers(one.gradient as Tensor)));
    for (const [i, one] of (await numbers(x.gradient as Tensor)).entries())
      expect(one).toBeCloseTo(
        parts.reduce((all, part) => all + (part[i] as number), 0),
        4,
      );
  });

  it('ALiBi is dropped from one version to the next, or fails with the fast kernel (flash-attention#1666, x-transformers#298): modifiers meet any score', async () => {
    const x = rows(4);
    const attend = heed.attention({
      score: 'l2-distance',
      modifiers: ['alibi', { name: 'softcap', cap: 5 }, 'temperature'],
      mask: ['causal', { name: 'window', left: 2, right: 0 }],
      normalizer: 'entmax-1.5',
    });
    for (const one of await numbers(ops.sum(attend(x, x, x, { weights: true }).weights, { axis: -1 })))
      expect(one).toBeCloseTo(1, 5);
  });

  it('a key longer than its value is cut in silence (torch SDPA on a CPU): it is refused', () => {
    expect(message(() => heed.attention({ score: 'dot' })(rows(2), rows(5), rows(4)))).toMatchInlineSnapshot(
      `"ShapeError: attention: key and value must have one length: key is [length, feature] = [5, 2], value is [length, feature] = [4, 2]. Each key has one value."`,
    );
  });

  it('shapes that do not fit speak of batch2 and dimension 1 (torch): they speak of query and key', () => {
    expect(
      message(() => heed.attention({ score: 'dot' })(rows(2, 4), rows(5, 3), rows(5, 3))),
    ).toMatchInlineSnapshot(
      `"ShapeError: attention: dot compares rows of one width: query is [length, feature] = [2, 4], key is [length, feature] = [5, 3]. Project one of them, or use a score with separate widths (general, additive, concat)."`,
    );
  });

  it('a name registered twice overwrites the first in silence (transformers): it is refused, with both origins', () => {
    const dot = defineScore({ name: 'dot', score: () => 0 });
    expect(message(() => heed.use(dot))).toMatchInlineSnapshot(
      `"NameError: the score "dot" is in "@heed/scores" and in "use(dot)". Use one of the two, or define yours under another name."`,
    );
  });

  it('names vanish from a library (xformers#848, #890): an unknown one is told its neighbours', () => {
    // @ts-expect-error: a slip
    expect(message(() => heed.attention({ score: 'scaled_dot' }))).toContain('Did you mean "scaled-dot"?');
  });

  it('attention layers are missing in JavaScript (tfjs#1958), and operators cannot be added in a browser (onnxruntime#15374): a formula is compiled where it runs', () => {
    const x = rows(3);
    expect(heed.attention({ score: 'laplace' }).explain(x, x, x).source.length).toBeGreaterThan(0);
  });

  it('the whole matrix is made, and fails at [10, 12, 4079, 4079] (obsidian-smart-connections#810): a context needs none', async () => {
    const x = rows(9000, 2);
    // The matrix of scores would take 324 MB.
    const context = heed.attention({ score: 'dot', mask: 'causal' })(x, x, x);
    expect((await numbers(context.slice(0, 0, 1))).length).toBe(2);
  });

  it('attention on WebGPU gives other numbers with a bias (onnxruntime#26766, #26715): it gives those of the CPU', async () => {
    await using gpu = await createHeed({ backend: webgpu({ ...swiftshader(), poison: true }) });
    const seen = async ({ device, attention }: Heed<DefaultCatalog>): Promise<number[]> => {
      const attend = attention({ score: 'scaled-dot', modifiers: ['bias'], mask: 'causal' });
      const [q, k, bias] = [1, 2, 3].map((seed) => ops.normal(device, [2, 2, 9, 9], { seed }));
      return numbers(attend(q!, k!, k!, { inputs: { bias: bias! } }));
    };
    const [here, there] = [await seen(gpu), await seen(heed)];
    // Means of values below 4, by an exp that is off by a few units.
    for (const [i, one] of there.entries())
      expect(Math.abs((here[i] as number) - one)).toBeLessThan(2 ** -18);
  });

  it('a slip in a call is passed over in silence (the shape of half of these threads): it is refused, with what was meant', () => {
    const x = rows(2);
    // @ts-expect-error: a slip
    expect(message(() => heed.attention({ score: 'dot' })(x, x, x, { weigths: true }))).toMatchInlineSnapshot(
      `"NameError: attention: a call does not take "weigths". Did you mean "weights"? It takes params, inputs, uniforms, weights, level, train, seed."`,
    );
  });

  it('normalizers of their own lack lengths and grouped heads (flashinfer#1044, ml-sigmoid-attention#2): all have them', async () => {
    const q = ops.normal(heed.device, [2, 4, 3, 2], { seed: 1 });
    const k = ops.normal(heed.device, [2, 2, 5, 2], { seed: 2 });
    const inputs = { lengths: heed.tensor([2, 5], { dtype: 'int32' }) };
    const attend = heed.attention({ score: 'dot', mask: 'padding', normalizer: normalizers.sigmoid() });
    const weights = (await attend(q, k, k, { inputs, weights: true }).weights.toNested()) as number[][][][];
    expect(weights[0]?.flat(2).filter((one) => one > 0)).toHaveLength(4 * 3 * 2);
    expect(weights[1]?.flat(2).filter((one) => one > 0)).toHaveLength(4 * 3 * 5);
  });
});
