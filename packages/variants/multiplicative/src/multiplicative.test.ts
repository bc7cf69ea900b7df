// Luong's layer against the compositions it stands for, gradients by differences, and what must not be.

import { attention } from '@heed/attention';
import { padding } from '@heed/masks';
import { load, type Parameters, save } from '@heed/nn';
import { entmax15, softmax } from '@heed/normalizers';
import { concat as concatScore, dot, general } from '@heed/scores';
import { concat, matmul, parameter, stack, type Tensor, tanh, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { message, wrong } from '../../../around/nn/src/wrong.fixture.ts';
import { multiplicativeAttention } from './index.ts';

const widths = { queryWidth: 3, memoryWidth: 5 };
const small = { ...widths, seed: 1, ...double };
const [query, memory] = [rows(1, 2, 3), rows(2, 2, 6, 5)];

describe('multiplicative attention', () => {
  it('is general by default: h . (W_a s), then tanh(W_c [c; h])', async () => {
    const layer = multiplicativeAttention(device, { ...small, out: 4 });
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    expect(Object.keys(p)).toEqual(['memory.weight', 'attentional.weight']);
    const attend = attention({ score: general(), normalizer: softmax() });
    const wanted = attend(query.unsqueeze(1), memory, memory, {
      params: { w: p['memory.weight']! },
      weights: true,
    });
    const { output, context, weights } = layer(query, memory, { weights: true });
    await close(context, wanted.context.squeeze(1));
    await close(weights, wanted.weights.squeeze(1));
    await close(
      output,
      tanh(matmul(concat([context, query], { axis: -1 }), p['attentional.weight']!, { transposeB: true })),
    );
  });

  it('is dot without a projection, and concat or any other score by value', async () => {
    const [q, m] = [rows(1, 2, 5), rows(2, 2, 6, 5)];
    const plain = { ...small, queryWidth: 5, project: false, attentional: false };
    const attend = attention({ score: dot(), normalizer: softmax() });
    await close(multiplicativeAttention(device, plain)(q, m), attend(q.unsqueeze(1), m, m).squeeze(1));
    const layer = multiplicativeAttention(device, {
      ...small,
      project: false,
      attentional: false,
      score: concatScore({ hidden: 4 }),
    });
    expect(Object.entries(layer.parameters).map(([path, { shape }]) => `${path} ${shape}`)).toEqual([
      'attention.w 4,8',
      'attention.v 4',
    ]);
    const { 'attention.w': w, 'attention.v': v } = layer.parameters as Readonly<Record<string, Tensor>>;
    const concatenated = attention({ score: concatScore({ hidden: 4 }), normalizer: softmax() });
    await close(
      layer(query, memory),
      concatenated(query.unsqueeze(1), memory, memory, { params: { w: w!, v: v! } }).squeeze(1),
    );
  });

  it('multiplies scores by a trained number', async () => {
    const scale = parameter(tensor(device, 3, double));
    const layer = multiplicativeAttention(device, {
      ...small,
      scale: true,
      parameters: { 'attention.scale': scale },
    });
    const plain = multiplicativeAttention(device, small);
    const tripled = {
      'memory.weight': stack([plain.parameters['memory.weight'] as Tensor], { axis: 0 }).squeeze(0),
    };
    const scaled = multiplicativeAttention(device, {
      ...small,
      parameters: {
        'memory.weight': matmul(
          tensor(
            device,
            [
              [3, 0, 0],
              [0, 3, 0],
              [0, 0, 3],
            ],
            double,
          ),
          tripled['memory.weight'],
        ),
      },
    });
    await close(layer(query, memory), scaled(query, memory));
  });

  it('gives the same step by step over a memory that is projected once, with input feeding', async () => {
    const layer = multiplicativeAttention(device, { ...small, mask: padding(), normalizer: entmax15() });
    const inputs = { lengths: tensor(device, [2, 6], { dtype: 'int32' }) };
    const known = layer.remember(memory);
    const queries = rows(3, 2, 4, 3);
    let before = layer.start(2);
    expect([before.shape, before.dtype]).toEqual([[2, 3], 'float64']);
    const outputs = Array.from({ length: 4 }, (_, t) => {
      expect(layer.feed(rows(4, 2, 7), before).shape).toEqual([2, 10]);
      before = layer(queries.slice(1, t, t + 1).squeeze(1), known, { inputs });
      return before;
    });
    await close(stack(outputs, { axis: 1 }), layer(queries, memory, { inputs }));
    const { weights } = layer(query, known, { inputs, weights: true });
    expect(((await weights.toNested()) as number[][])[0]?.slice(2)).toEqual([0, 0, 0, 0]);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    for (const more of [
      { scale: true },
      { project: false, score: concatScore({ hidden: 4 }), attentional: false },
    ]) {
      const { parameters } = multiplicativeAttention(device, { ...small, ...more });
      await gradientCheck(
        ({ query, memory, ...own }) =>
          multiplicativeAttention(device, { ...widths, ...more, parameters: own as Parameters })(
            query as Tensor,
            memory as Tensor,
          ),
        { query, memory, ...parameters },
        { sample: 3 },
      );
    }
  });

  it('starts as the paper says where told, is saved and loaded, and leaves nothing behind', async () => {
    const paper = multiplicativeAttention(device, { ...small, start: 'paper' });
    for (const one of Object.values(paper.parameters))
      for (const number of await one.read()) expect(Math.abs(number)).toBeLessThanOrEqual(0.1);
    const to = multiplicativeAttention(device, { ...small, seed: 2 });
    load(to, await save(paper));
    await close(to(query, memory), paper(query, memory));
    const before = device.live;
    const known = to.remember(memory);
    const { output, context, weights } = to(query, known, { weights: true });
    for (const one of [output, context, weights, known]) one.dispose();
    expect(device.live).toEqual(before);
  });
});

describe('bad input to multiplicative', () => {
  const layer = multiplicativeAttention(device, small);
  const cases: Record<string, () => unknown> = {
    'no memory width': () => multiplicativeAttention(device, wrong({ queryWidth: 3, seed: 1 })),
    'the name of a score': () => multiplicativeAttention(device, { ...small, score: wrong('concat') }),
    'a query of another width': () => layer(rows(1, 2, 4), memory),
    'a memory of another width': () => layer(query, rows(1, 2, 6, 4)),
    'dot between widths that differ': () =>
      multiplicativeAttention(device, { ...small, project: false })(query, memory),
    'dropout that is not told': () =>
      multiplicativeAttention(device, { ...small, dropout: 0.1 })(query, memory),
  };
  for (const [name, f] of Object.entries(cases)) it(name, () => expect(message(f)).toMatchSnapshot());
});
