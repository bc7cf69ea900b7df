// @heed/nn: layers and what they are made of.

export type { Asked, Given, KeyValueCache, Remembered } from './cache/cache.ts';
export { type CacheOptions, type GrowingCache, keyValueCache } from './cache/growing.ts';
export { type LengthsOf, lengthsFor } from './cache/lengths.ts';
export { type PagedCache, type PagePool, type PagePoolOptions, pagePool } from './cache/paged.ts';
export { type Attending, attended, attending, type PartsCall } from './define/attending.ts';
export { type Builder, defineLayer } from './define/define-layer.ts';
export { initialOption } from './define/initial-option.ts';
export type {
  AnyLayerFactory,
  Inner,
  Layer,
  LayerChoice,
  LayerFactory,
  LayerOptions,
  Module,
  Parameters,
} from './define/layer.ts';
export { decoderRows, type Memory, remembering } from './define/memory.ts';
export { isTraining, type Mode, modeOf } from './define/mode.ts';
export { partOptions, valueOption } from './define/options.ts';
export type { PartSizes } from './define/part-parameters.ts';
export { seedOf } from './define/seed.ts';
export * as initial from './initial/index.ts';
export type { Initializer } from './initial/initializer.ts';
export { convolution } from './layers/convolution.ts';
export { dropout } from './layers/dropout.ts';
export { embedding } from './layers/embedding.ts';
export { layerNorm } from './layers/layer-norm.ts';
export { linear } from './layers/linear.ts';
export { rmsNorm } from './layers/rms-norm.ts';
export { type Arrays, save, type TensorRecord, tensorsOf } from './parameters/data.ts';
export { load } from './parameters/load.ts';
export { fromSafetensors, safetensorsMetadata, toSafetensors } from './parameters/safetensors.ts';
export type { Places } from './positions/angles.ts';
export { learnedPositions } from './positions/learned.ts';
export { type Rotary, type RotaryOptions, rotary } from './positions/rotary.ts';
export type { RotaryScaling } from './positions/rotary-scaling.ts';
export { sinusoidal } from './positions/sinusoidal.ts';
