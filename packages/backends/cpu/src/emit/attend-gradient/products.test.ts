import type { AttentionOptions } from '@heed/attention';
import { asExpr, print } from '@heed/expr';
import { bias, softcap } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { additive, gaussian, laplace, scaledDot } from '@heed/scores';
import { describe, expect, it } from 'vitest';
import { programsOf } from '../../../../trials/gradient.fixture.ts';
import { designOf } from './design.ts';
import { prepareGradient } from './kernel.ts';
import { sharesOf } from './shares.ts';

const lengths = { batch: 2, head: 4, keyHead: 4, query: 512, key: 512 };
const upstream = { context: true, weights: false, level: false };
const programOf = (options: AttentionOptions) =>
  programsOf({ options }, { lengths, features: 4, values: 4, seed: 1, upstream, pool: 0 }).stored.backward;

/** What is done by which means, in words. */
function meansOf(options: AttentionOptions): Record<string, string> {
  const { tiling } = prepareGradient(programOf(options));
  if (!tiling) return {};
  const entries = [
    ...tiling.products.map(({ target, row, own }) => [
      target.name,
      own ? `sums times ${row}` : `product with ${row}`,
    ]),
    ...tiling.folds.flatMap(({ parts }) =>
      parts.map(({ target, cheap }) => [target.name, cheap ? 'by feature, cheaper' : 'by feature']),
    ),
    ...tiling.rest.map(({ target }) => [target.name, 'pair by pair']),
  ] as [string, string][];
  const found: Record<string, string> = {};
  for (const [name, means] of entries) found[name] = found[name] ? `${found[name]}, ${means}` : means;
  return found;
}

describe('the means of a gradient', () => {
  it('are matrix products where the score is one, whatever is made of it', () => {
    const products = { q: 'product with k', k: 'product with q', value: 'product with grad$context' };
    expect(meansOf({ score: scaledDot(), normalizer: softmax() })).toEqual(products);
    expect(meansOf({ score: scaledDot(), modifiers: [softcap(), bias()], normalizer: softmax() })).toEqual({
      ...products,
      bias: 'pair by pair',
    });
  });

  it('read the product of a pair from its tile', () => {
    const options = { score: scaledDot(), modifiers: [softcap()], normalizer: softmax() };
    const { tiling } = prepareGradient(programOf(options));
    const texts = tiling?.coefficients.map((one) => one && print(asExpr(one)));
    expect(texts?.join()).toContain('term$0');
    expect(texts?.join()).not.toContain('dot');
  });

  it('are sums and products for differences of rows', () => {
    expect(meansOf({ score: gaussian(), normalizer: softmax() })).toMatchObject({
      q: expect.stringMatching(/sums times q.*product with k|product with k.*sums times q/),
      k: expect.stringMatching(/sums times k.*product with q|product with q.*sums times k/),
    });
  });

  it('are features one by one for pairwise scores, cheaper where exponentials leave the loop', () => {
    expect(meansOf({ score: laplace(), normalizer: softmax() })).toMatchObject({
      q: 'by feature',
      k: 'by feature',
    });
    expect(meansOf({ score: additive(), normalizer: softmax() })).toEqual({
      v: 'by feature, cheaper',
      query$0: 'by feature, cheaper',
      key$0: 'by feature, cheaper',
      value: 'product with grad$context',
    });
  });
});

describe('the shares of a gradient', () => {
  const sharesFor = (options: AttentionOptions, threads: number, long = lengths) => {
    const { targets } = designOf(programOf(options));
    const shapes = (name: string): number[] => {
      const target = targets.find((one) => one.name === name);
      return [...(target?.input.along ?? []).map((axis) => long[axis]), ...(target?.sizes ?? [])];
    };
    return sharesOf(targets, shapes, long, threads);
  };
  const plain = { score: scaledDot(), normalizer: softmax() };

  it('are batches and heads of keys, and blocks of queries where these are too few', () => {
    expect(sharesFor(plain, 1)).toEqual({ batches: 2, keyHeads: 4, chunks: 1 });
    expect(sharesFor(plain, 2)).toEqual({ batches: 2, keyHeads: 4, chunks: 1 });
    expect(sharesFor(plain, 3)).toEqual({ batches: 2, keyHeads: 4, chunks: 2 });
    expect(sharesFor(plain, 2, { ...lengths, batch: 1, head: 1, keyHead: 1 }).chunks).toBe(8);
  });

  it('do not keep a copy of a large gradient for each of them', () => {
    const options = { score: scaledDot(), modifiers: [bias()], normalizer: softmax() };
    const { targets } = designOf(programOf(options));
    const large = { ...lengths, batch: 64, query: 2048, key: 2048 };
    const shapes = (name: string): number[] => (name === 'bias' ? [large.query, large.key] : [1]);
    const shared = targets.map((target) =>
      target.name === 'bias'
        ? { ...target, input: { ...target.input, along: ['query', 'key'] as const } }
        : target,
    );
    expect(sharesOf(shared, shapes, large, 2)).toEqual({ batches: 1, keyHeads: 4, chunks: 1 });
  });
});
