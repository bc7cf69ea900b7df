// @heed/attention: what an attention is. Parts are values; `attention` composes them.

export { attention } from './attention.ts';
export type { Attend, AttendCall, Attended, Explanation } from './call.ts';
export type { Context, Knobs } from './define/declare.ts';
export { defineMask } from './define/mask.ts';
export { defineModifier } from './define/modifier.ts';
export { defineNormalizer } from './define/normalizer.ts';
export { type Choice, type Chosen, type Option, type Options, option } from './define/option.ts';
export { defineReweight } from './define/reweight.ts';
export { defineScore } from './define/score.ts';
export { differentiate } from './differentiate.ts';
export {
  type Directions,
  eluPlusOne,
  type FeatureMap,
  randomFeatures,
  reluFeatures,
} from './linear/features.ts';
export {
  type LinearAttend,
  type LinearAttended,
  type LinearAttentionOptions,
  type LinearCall,
  linearAttention,
} from './linear/linear-attention.ts';
export { merge } from './merge.ts';
export { parameters } from './parameters.ts';
export type * from './part.ts';
export { axes, type Place } from './place.ts';
export { type Plan, type Problem, plan } from './plan.ts';
export { type AttentionOptions, compose, type Spec } from './spec.ts';
