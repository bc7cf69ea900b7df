// Heads that mix their scores and their weights.

import {
  type Attend,
  type AttendCall,
  type Attended,
  type AttentionOptions,
  attention,
  defineScore,
} from '@heed/attention';
import { scalar } from '@heed/expr';
import { attended, type Builder, initial, type PartSizes } from '@heed/nn';
import { identity } from '@heed/normalizers';
import { matmul, type Tensor } from '@heed/tensor';
import type { HeadsAttention } from './plain-heads.ts';

/** A score that is there already. */
const given = defineScore({
  name: 'given',
  inputs: { logits: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  score: ({ inputs: { logits } }) => logits,
});

/**
 * weights = P_w normalize(P_l scores), context = weights v, with P_l and P_w [heads, heads]. Shazeer et al. 2020 (arXiv
 * 2003.02436), section 3. Parameters: `talking.scores` and `talking.weights` start as the identity, as if heads did not talk.
 *
 * Three attentions: one gives scores, one weighs what was mixed, and one averages values. The mask holds in all of them, so that
 * nothing reaches a query, or a gradient, from keys it does not see.
 */
export function talkingHeads(build: Builder, options: AttentionOptions, of: PartSizes): HeadsAttention {
  const heads = of.heads as number;
  const mixer = {
    scores: build.parameter('talking.scores', [heads, heads], initial.identity()),
    weights: build.parameter('talking.weights', [heads, heads], initial.identity()),
  };
  const { score, modifiers = [], mask = [], normalizer, reweight = [], dropout = 0 } = options;
  const params = build.parts('attention', attention(options).parts, of);
  const scored = attention({ score, modifiers, mask, normalizer: identity() });
  const weighed = attention({ score: given(), mask, normalizer, reweight, dropout });
  const averaged = attention({ score: given(), mask, normalizer: identity() });
  const stages = [scored, weighed, averaged];

  const forward = (...[query, key, value, call]: Parameters<HeadsAttention>): Attended => {
    const { inputs = {}, uniforms = {}, train, seed } = call;
    const of = (stage: Attend, more: AttendCall): AttendCall => ({
      ...more,
      params: among('params', stage, stages, params),
      inputs: { ...among('inputs', stage, stages, inputs), ...more.inputs },
      uniforms: among('uniforms', stage, stages, uniforms),
    });
    const nothing = key.slice(-1, 0, 0);
    const raw = scored(query, key, nothing, { ...of(scored, {}), weights: true }).weights;
    const drops =
      dropout > 0
        ? { ...(train === undefined ? {} : { train }), ...(seed === undefined ? {} : { seed }) }
        : {};
    const weights = weighed(query, key, nothing, {
      ...of(weighed, { ...drops, inputs: { logits: mixed(raw, mixer.scores) } }),
      weights: true,
    }).weights;
    const logits = mixed(weights, mixer.weights);
    return attended(averaged, [query, key, value], of(averaged, { inputs: { logits } }), call.weights);
  };
  return Object.assign(forward, { parts: attention(options).parts });
}

/** [batch, head, query, key] with each head a sum over all heads. */
function mixed(pairs: Tensor, by: Tensor): Tensor {
  const [batch, heads, queries, keys] = pairs.shape as [number, number, number, number];
  return matmul(by, pairs.reshape([batch, heads, queries * keys])).reshape([batch, heads, queries, keys]);
}

/** What a stage declares; the first one also gets what none declares, to complain about it. */
function among<V>(
  group: 'params' | 'inputs' | 'uniforms',
  stage: Attend,
  stages: readonly Attend[],
  all: Readonly<Record<string, V>>,
): Readonly<Record<string, V>> {
  const declares = (one: Attend, name: string) => one.parts.some((part) => Object.hasOwn(part[group], name));
  return Object.fromEntries(
    Object.entries(all).filter(
      ([name]) =>
        declares(stage, name) || (stage === stages[0] && !stages.some((one) => declares(one, name))),
    ),
  );
}
