// @heed/multi-head: several attentions side by side, with what is remembered between calls.

export { type CacheOptions, type KeyValueCache, keyValueCache } from './cache.ts';
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
