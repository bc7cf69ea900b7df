// heed: what people install first. Parts, layers, formulas and tensor operations each keep a namespace of their own, since
// `formula.add` adds symbols, `ops.add` adds tensors, and `scores.linear` is not `layers.linear`.

export {
  type Attend,
  type AttendCall,
  type Attended,
  type AttentionOptions,
  attention,
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
  type Explanation,
  eluPlusOne,
  linearAttention,
  option,
  parameters,
  randomFeatures,
  reluFeatures,
} from '@heed/attention';
export * as formula from '@heed/expr';
export * as masks from '@heed/masks';
export * as normalizers from '@heed/normalizers';
export { createRegistry, lazyBackend, type Plugin, type Registry } from '@heed/registry';
export * as scores from '@heed/scores';
export * as ops from '@heed/tensor';
export {
  BackendError,
  type BackendPlugin,
  type Device,
  DisposedError,
  type DType,
  DTypeError,
  ExpressionError,
  GradientError,
  gradients,
  HeedError,
  NameError,
  OutOfMemoryError,
  openDevice,
  parameter,
  ShapeError,
  scope,
  Tensor,
  tensor,
  ValueError,
  withoutGradients,
} from '@heed/tensor';
export { createHeed, type DefaultCatalog, type Heed, type HeedChoice, type HeedOptions } from './heed.ts';
export { layers } from './layers.ts';
export { defaultRegistry } from './parts.ts';
