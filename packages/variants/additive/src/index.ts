// @heed/additive: Bahdanau's attention as a layer.

export {
  type Additive,
  type AdditiveCall,
  type AdditiveResult,
  additiveAttention,
  type Memory,
} from './additive.ts';
export { coverageLoss } from './coverage-loss.ts';
