// Two sequences: the layers against their papers' equations written out, lengths, gradients, and what must not be.

import { load, type Parameters, save } from '@heed/nn';
import { add, concat, matmul, max, mul, softmax, sum, type Tensor, tanh, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { close, device, double, rows } from '../../../around/nn/src/exact.fixture.ts';
import { bidirectionalAttention, coAttention } from './index.ts';

const counts = (...lengths: number[]) => tensor(device, lengths, { dtype: 'int32' });
const entry = (of: Tensor, at: number, length: number) => of.slice(0, at, at + 1).slice(1, 0, length);
const times = (a: Tensor, b: Tensor) => matmul(a, b, { transposeB: true });

describe('co-attention', () => {
  const sizes = { firstWidth: 4, secondWidth: 3, hidden: 5 };
  const layer = coAttention(device, { ...sizes, seed: 1, ...double });
  const [v, q] = [rows(1, 2, 6, 4), rows(2, 2, 5, 3)];

  it('is the equations of the paper', async () => {
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    const c = tanh(times(matmul(q, p['affinity.weight']!.transpose()), v)); // [batch, second, first]
    const [ofV, ofQ] = [times(v, p['first.weight']!), times(q, p['second.weight']!)];
    const pooled = (judged: Tensor, by: string, of: Tensor) => {
      const weights = softmax(times(judged, p[by]!), { axis: 1 });
      return { weights: weights.squeeze(-1), context: sum(mul(weights, of), { axis: 1 }) };
    };
    const first = pooled(tanh(add(ofV, matmul(c.transpose(), ofQ))), 'first.query', v);
    const second = pooled(tanh(add(ofQ, matmul(c, ofV))), 'second.query', q);
    const got = layer(v, q, { weights: true });
    await close(got.first, first.context);
    await close(got.second, second.context);
    await close(got.weights.first, first.weights);
    await close(got.weights.second, second.weights);
    const alone = layer(v.slice(0, 1, 2).squeeze(0), q.slice(0, 1, 2).squeeze(0));
    await close(alone.second, got.second.slice(0, 1, 2).squeeze(0));
  });

  it('takes lengths of either sequence, and nothing from beyond them', async () => {
    const lengths = { first: counts(3, 6), second: counts(5, 2) };
    const got = layer(v, q, { lengths, weights: true });
    const [a, b] = [layer(entry(v, 0, 3), entry(q, 0, 5)), layer(entry(v, 1, 6), entry(q, 1, 2))];
    await close(got.first, concat([a.first, b.first]));
    await close(got.second, concat([a.second, b.second]));
    const seen = (await got.weights.second.toNested()) as number[][];
    expect(seen[1]?.slice(2)).toEqual([0, 0, 0]);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    const lengths = { first: counts(3, 6) };
    await gradientCheck(
      ({ v, q, ...own }) => {
        const { first, second } = coAttention(device, { ...sizes, parameters: own as Parameters })(
          v as Tensor,
          q as Tensor,
          { lengths },
        );
        return concat([first, second], { axis: 1 });
      },
      { v, q, ...layer.parameters },
      { sample: 3 },
    );
  });

  it('is saved and loaded, and leaves nothing behind', async () => {
    const other = coAttention(device, { ...sizes, seed: 2, ...double });
    load(other, await save(layer));
    await close(other(v, q).first, layer(v, q).first);
    const before = device.live;
    const { first, second } = other(v, q);
    for (const one of [first, second]) one.dispose();
    expect(device.live).toEqual(before);
  });

  it('says what does not fit', () => {
    expect(() => layer(q, v)).toThrow(
      'co-attention: first expects [batch, length, width] or [length, width] with a width of 4, got [2, 5, 3].',
    );
    // @ts-expect-error: the width in which rows are judged has no default
    expect(() => coAttention(device, { firstWidth: 4, seed: 1 })).toThrow(
      'the option "hidden" must be given',
    );
  });
});

describe('bidirectional attention', () => {
  const layer = bidirectionalAttention(device, { width: 4, seed: 1, ...double });
  const [h, u] = [rows(3, 2, 6, 4), rows(4, 2, 5, 4)];

  /** Equations 1 to 4, with the scores of all pairs at hand. */
  const written = (h: Tensor, u: Tensor) => {
    const p = layer.parameters as Readonly<Record<string, Tensor>>;
    const s = add(
      add(matmul(h, p['attention.wq']!).unsqueeze(-1), matmul(u, p['attention.wk']!).unsqueeze(1)),
      times(mul(h, p['attention.wqk']!), u),
    );
    const toQuery = softmax(s);
    const toContext = softmax(max(s, { axis: -1 }));
    const found = matmul(toQuery, u);
    const whole = matmul(toContext.unsqueeze(1), h);
    return {
      output: concat([h, found, mul(h, found), mul(h, whole)], { axis: -1 }),
      weights: { toQuery, toContext },
    };
  };

  it('is the equations of the paper', async () => {
    const [got, wanted] = [layer(h, u, { weights: true }), written(h, u)];
    await close(got.output, wanted.output);
    await close(got.weights.toQuery, wanted.weights.toQuery);
    await close(got.weights.toContext, wanted.weights.toContext);
    const alone = layer(h.slice(0, 1, 2).squeeze(0), u.slice(0, 1, 2).squeeze(0));
    await close(alone, got.output.slice(0, 1, 2).squeeze(0));
  });

  it('takes lengths of either sequence', async () => {
    const got = layer(h, u, { lengths: { context: counts(3, 6), query: counts(5, 2) } });
    await close(entry(got, 0, 3), written(entry(h, 0, 3), u.slice(0, 0, 1)).output);
    await close(entry(got, 1, 6), written(h.slice(0, 1, 2), entry(u, 1, 2)).output);
  });

  it('differentiates by all that it is given and made of', { timeout: 60_000 }, async () => {
    await gradientCheck(
      ({ h, u, ...own }) =>
        bidirectionalAttention(device, { width: 4, parameters: own as Parameters })(h as Tensor, u as Tensor),
      { h, u, ...layer.parameters },
      { sample: 4 },
    );
  });

  it('says what does not fit', () => {
    expect(() => layer(h, rows(1, 2, 5, 3))).toThrow(
      'bidirectional: query expects [batch, length, width] or [length, width] with a width of 4, got [2, 5, 3].',
    );
  });
});
