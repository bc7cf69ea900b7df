// @heed/additive: Bahdanau's attention as a layer.

export type { Memory } from '@heed/nn';
export {
  type Additive,
  type AdditiveCall,
  type AdditiveResult,
  additiveAttention,
} from './additive.ts';
export { coverageLoss } from './coverage-loss.ts';
