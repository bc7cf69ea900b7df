// The layers of this package against what they are made of, gradients by differences, and what must not be.

import { attention } from '@heed/attention';
import { causal, padding } from '@heed/masks';
import { keyValueCache, load, type Parameters, pagePool, rotary, save } from '@heed/nn';
import { softmax, sparsemax } from '@heed/normalizers';
import { additive, scaledDot } from '@heed/scores';
import {
  add,
  exp,
  gt,
  matmul,
  mul,
  parameter,
  softmax as softmaxOf,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  where,
  withoutGradients,
} from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { message, wrong } from '../../../around/nn/src/wrong.fixture.ts';
import { attentionPooling, featurePooling, imageAttention, overlap, selfAttention } from './index.ts';

const made = { seed: 1, ...double };
const affine = (p: Parameters, name: string, x: Tensor) =>
  add(matmul(x, p[`${name}.weight`] as Tensor, { transposeB: true }), p[`${name}.bias`] as Tensor);

describe('self-attention', () => {
  const x = rows(1, 2, 5, 4);

  it('is attention between projections of the same rows', async () => {
    const layer = selfAttention(device, { width: 4, hidden: 3, out: 6, mask: causal(), ...made });
    const attend = attention({ score: scaledDot(), mask: causal(), normalizer: softmax() });
    const p = layer.parameters;
    const wanted = attend(affine(p, 'query', x), affine(p, 'key', x), affine(p, 'value', x), {
      weights: true,
    });
    const { context, weights } = layer(x, { weights: true });
    await close(context, wanted.context);
    await close(weights, wanted.weights);
    await close(layer(x.slice(0, 0, 1).squeeze(0)), context.slice(0, 0, 1).squeeze(0));
  });

  it('continues a sequence with a cache as if it were whole', async () => {
    const options = { width: 4, hidden: 2, rotary: rotary({ layout: 'halves' }), ...made };
    const layer = selfAttention(device, { ...options, mask: causal({ align: 'end' }) });
    const whole = layer(x, { weights: true });
    let cache = keyValueCache();
    for (const [from, to] of [
      [0, 2],
      [2, 3],
      [3, 5],
    ] as const) {
      const step = layer(x.slice(1, from, to), { cache, weights: true });
      cache = step.cache;
      await close(step.context, whole.context.slice(1, from, to));
      await close(step.weights, whole.weights.slice(1, from, to).slice(2, 0, to));
    }
    expect([cache.seen, cache.key?.shape]).toEqual([5, [2, 1, 5, 2]]);

    const paged = selfAttention(device, {
      ...options,
      mask: causal({ align: 'lengths' }),
      parameters: layer.parameters,
    });
    const pool = pagePool(device, { pages: 6, page: 2, heads: 1, width: 2, valueWidth: 4, dtype: 'float64' });
    const { cache: first } = withoutGradients(device, () =>
      paged(x.slice(1, 0, 3), { cache: pool.start(2) }),
    );
    const { context } = withoutGradients(device, () => paged(x.slice(1, 3), { cache: first }));
    await close(context, whole.context.slice(1, 3));
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    const options = {
      width: 4,
      hidden: 2,
      score: additive({ hidden: 2 }),
      rotary: rotary({ layout: 'halves' }),
    };
    const { parameters } = selfAttention(device, { ...options, ...made });
    await gradientCheck(
      ({ x, ...own }) => selfAttention(device, { ...options, parameters: own as Parameters })(x as Tensor),
      { x, ...parameters },
      { sample: 3 },
    );
  });
});

describe('pooling', () => {
  const x = rows(2, 2, 5, 4);

  it('is the mean of the rows that a learned query chooses', async () => {
    const layer = attentionPooling(device, { width: 4, hidden: 3, ...made });
    const p = layer.parameters;
    const a = softmaxOf(matmul(tanh(affine(p, 'key', x)), p.query as Tensor, { transposeB: true }), {
      axis: 1,
    });
    const { context, weights } = layer(x, { weights: true });
    await close(weights, a.squeeze(-1));
    await close(context, sum(mul(a, x), { axis: 1 }));
    await close(layer(x.slice(0, 0, 1).squeeze(0)), context.slice(0, 0, 1).squeeze(0));
  });

  it('has an axis for several queries, whose overlap costs', async () => {
    const layer = attentionPooling(device, {
      width: 4,
      hidden: 3,
      queries: 2,
      normalizer: sparsemax(),
      ...made,
    });
    const { context, weights } = layer(x, { weights: true });
    expect([context.shape, weights.shape]).toEqual([
      [2, 2, 4],
      [2, 2, 5],
    ]);
    const apart = tensor(
      device,
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      double,
    ).unsqueeze(0);
    expect(await overlap(apart).toNested()).toEqual([0]);
    expect(await overlap(apart.slice(1, 0, 1).expand([1, 2, 3])).toNested()).toEqual([2]);
  });

  it('looks no further than the lengths, and differentiates', { timeout: 60_000 }, async () => {
    const options = { width: 4, hidden: 3, mask: padding() };
    const inputs = { lengths: tensor(device, [2, 5], { dtype: 'int32' }) };
    const layer = attentionPooling(device, { ...options, ...made });
    const seen = (await layer(x, { inputs, weights: true }).weights.toNested()) as number[][];
    expect(seen[0]?.slice(2)).toEqual([0, 0, 0]);
    await gradientCheck(
      ({ x, ...own }) =>
        attentionPooling(device, { ...options, parameters: own as Parameters })(x as Tensor, { inputs }),
      { x, ...layer.parameters },
      { sample: 3 },
    );
  });
});

describe('feature pooling', () => {
  const x = rows(3, 2, 5, 4);

  it('has weights of its own for each feature', async () => {
    const layer = featurePooling(device, { width: 4, hidden: 3, ...made });
    const p = layer.parameters;
    const inner = affine(p, 'hidden', x);
    const elu = where(gt(inner, 0), inner as Tensor<'float64'>, sub(exp(inner), 1) as Tensor<'float64'>);
    const a = softmaxOf(affine(p, 'logit', elu), { axis: 1 });
    const { context, weights } = layer(x, { weights: true });
    await close(weights, a);
    await close(context, sum(mul(a, x), { axis: 1 }));
    await close(layer(x.slice(0, 0, 1).squeeze(0)), context.slice(0, 0, 1).squeeze(0));
  });

  it('takes masks and normalizers like any attention, and differentiates', { timeout: 60_000 }, async () => {
    const options = { width: 4, hidden: 3, mask: padding() };
    const inputs = { lengths: tensor(device, [2, 5], { dtype: 'int32' }) };
    const layer = featurePooling(device, { ...options, ...made });
    const seen = (await layer(x, { inputs, weights: true }).weights.toNested()) as number[][][];
    expect(seen[0]?.slice(2).flat()).toEqual(new Array(12).fill(0));
    await gradientCheck(
      ({ x, ...own }) =>
        featurePooling(device, { ...options, parameters: own as Parameters })(x as Tensor, { inputs }),
      { x, ...layer.parameters },
      { sample: 3 },
    );
  });
});

describe('image attention', () => {
  const image = rows(4, 2, 3, 2, 8);

  it('starts as if it were not there', async () => {
    const layer = imageAttention(device, { channels: 8, ...made });
    expect(layer.parameters['query.weight']?.shape).toEqual([1, 8]);
    await close(layer(image), image);
  });

  it('adds what every place sees of every place', async () => {
    const gamma = parameter(tensor(device, 0.5, double));
    const layer = imageAttention(device, { channels: 8, hidden: 4, parameters: { gamma }, ...made });
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    const flat = image.reshape([2, 6, 8]);
    const by = (name: string, of: Tensor) => matmul(of, p[`${name}.weight`]!, { transposeB: true });
    const a = softmaxOf(matmul(by('query', flat), by('key', flat), { transposeB: true }));
    const seen = by('output', matmul(a, by('value', flat)));
    const { output, weights } = layer(image, { weights: true });
    await close(weights, a);
    await close(output, add(image, mul(seen, 0.5).reshape(image.shape)));
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    const { parameters } = imageAttention(device, { channels: 8, hidden: 2, ...made });
    const given = { ...parameters, gamma: tensor(device, 0.5, double) };
    await gradientCheck(
      ({ image, ...own }) =>
        imageAttention(device, { channels: 8, hidden: 2, parameters: own as Parameters })(image as Tensor),
      { image, ...given },
      { sample: 3 },
    );
  });
});

describe('every layer of this package', () => {
  const x = rows(5, 2, 5, 4);
  const image = rows(6, 2, 2, 2, 4);
  const layers = {
    self: (seed: number) => selfAttention(device, { width: 4, seed, ...double }),
    pooling: (seed: number) => attentionPooling(device, { width: 4, hidden: 3, seed, ...double }),
    features: (seed: number) => featurePooling(device, { width: 4, seed, ...double }),
    image: (seed: number) => imageAttention(device, { channels: 4, seed, ...double }),
  };
  for (const [name, make] of Object.entries(layers)) {
    it(`${name} is saved and loaded, and leaves nothing behind`, async () => {
      const call = (layer: ReturnType<typeof make>) =>
        (layer as (of: Tensor) => Tensor)(name === 'image' ? image : x);
      const [from, to] = [make(1), make(2)];
      load(to, await save(from));
      await close(call(to), call(from));
      const before = device.live;
      call(to).dispose();
      expect(device.live).toEqual(before);
    });
  }
});

describe('bad input to layers of self-attention', () => {
  const cases: Record<string, () => unknown> = {
    'no width': () => selfAttention(device, wrong({ seed: 1 })),
    'rows of another width': () => selfAttention(device, { width: 4, seed: 1 })(rows(1, 2, 3)),
    'a score for pooling': () =>
      attentionPooling(device, { width: 4, hidden: 3, seed: 1, ...wrong({ score: scaledDot() }) }),
    'no rows to pool': () => attentionPooling(device, { width: 4, hidden: 3, seed: 1 })(rows(1, 4)),
    'features of another number': () => featurePooling(device, { width: 4, seed: 1 })(rows(1, 2, 3)),
    'an image without a batch': () => imageAttention(device, { channels: 4, seed: 1 })(rows(1, 2, 2, 4)),
    'an image with channels in front': () =>
      imageAttention(device, { channels: 4, seed: 1 })(rows(1, 2, 4, 3, 3)),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
