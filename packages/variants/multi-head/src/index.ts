// @heed/multi-head: several attentions side by side, with what is remembered between calls.

export {
  type CacheOptions,
  type GrowingCache,
  type KeyValueCache,
  keyValueCache,
  type PagedCache,
  type PagePool,
  type PagePoolOptions,
  pagePool,
} from '@heed/nn';
export {
  type Bidirectional,
  type BidirectionalCall,
  type BidirectionalResult,
  bidirectionalAttention,
} from './bidirectional.ts';
export {
  type CoAttended,
  type CoAttention,
  type CoAttentionCall,
  coAttention,
} from './co-attention.ts';
export { fromKeras } from './from-keras.ts';
export { type FromPyTorchOptions, fromPyTorch } from './from-pytorch.ts';
export {
  type Memory,
  type MultiHead,
  type MultiHeadCall,
  type MultiHeadGiven,
  type MultiHeadResult,
  multiHead,
} from './multi-head.ts';
