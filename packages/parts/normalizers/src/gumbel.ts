// Noise that makes the largest score a draw.

import { defineModifier } from '@heed/attention';
import { add, log, maximum, mul, neg, random, sub } from '@heed/expr';

/** The least that a draw counts as: log(0) has no use here. Draws are multiples of 2^-24. */
const least = 2 ** -25;

/**
 * score + gumbelScale * g, with g = -log(-log(u)) drawn for each pair: the key with the largest sum is drawn with the
 * probability that softmax gives it (Gumbel 1954). With the normalizer `hard` that is a sample, the stochastic attention of
 * Xu et al. 2015 (arXiv 1502.03044); with `softmax` behind a `temperature` it is the relaxed sample of Jang, Gu, Poole 2017
 * (arXiv 1611.01144) and Maddison, Mnih, Teh 2017 (arXiv 1611.00712): `modifiers: [gumbel(), temperature()]`.
 *
 * Uniforms: a `gumbelSeed` for each step; one seed, one draw, on every backend. `gumbelScale: 0` takes the noise away, for
 * evaluation. No gradient comes from the noise; scores keep theirs.
 *
 * @example attend(query, key, value, { uniforms: { gumbelSeed: step } })
 */
export const gumbel = defineModifier({
  name: 'gumbel',
  uniforms: {
    /** Decides the draws. */
    gumbelSeed: { element: 'int', value: 0 },
    /** What the noise is multiplied with. */
    gumbelScale: 1,
  },
  modify: ({ score, batch, head, heads, query, key, uniforms: { gumbelSeed, gumbelScale } }) => {
    // Streams below zero: dropout, with a seed that may be the same, counts from zero up.
    const stream = sub(neg(add(mul(batch, heads), head)), 1);
    const drawn = maximum(random(gumbelSeed, stream, query, key), least);
    return add(score, mul(gumbelScale, neg(log(neg(log(drawn))))));
  },
});
