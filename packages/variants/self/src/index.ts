// @heed/self: a sequence, or an image, that attends to itself.

export {
  type AugmentedCall,
  type AugmentedConvolution,
  type AugmentedResult,
  augmentedConvolution,
} from './augmented.ts';
export {
  type Directional,
  type DirectionalCall,
  type DirectionalResult,
  directionalAttention,
} from './directional.ts';
export {
  type FeaturePooling,
  type FeaturePoolingCall,
  type FeaturePoolingResult,
  featurePooling,
} from './feature-pooling.ts';
export { type ImageAttention, type ImageCall, type ImageResult, imageAttention } from './image.ts';
export { overlap } from './overlap.ts';
export { attentionPooling, type Pooling, type PoolingCall, type PoolingResult } from './pooling.ts';
export { type SelfAttention, type SelfCall, type SelfGiven, type SelfResult, selfAttention } from './self.ts';
