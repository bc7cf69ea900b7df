// @heed/tensor: tensors, core operations, the tape, and the contract of a backend.

export * from './contract/backend.ts';
export { checkCall, checkProgram, signatures } from './contract/check/check.ts';
export type { Signature } from './contract/check/signature.ts';
export * from './contract/dtype.ts';
export * from './contract/print.ts';
export * from './contract/program.ts';
export * from './create.ts';
export * from './data.ts';
export { createDevice, Device, type Live, openDevice } from './device.ts';
export { allocate, type DispatchOptions, dispatch, type Input, type ResultSpec } from './dispatch.ts';
export { asyncDispose, dispose } from './dispose.ts';
export * from './errors.ts';
export * from './half.ts';
export * from './ops/arithmetic.ts';
export { cast } from './ops/cast.ts';
export { copy } from './ops/copy.ts';
export {
  type ElementOf,
  type ElementwiseOptions,
  elementwise,
  type Formula,
  type Surroundings,
} from './ops/elementwise.ts';
export type { KnobSymbols, Knobs } from './ops/formula.ts';
export * from './ops/join.ts';
export * from './ops/logic.ts';
export * from './ops/lookup.ts';
export { type MatmulOptions, matmul } from './ops/matmul.ts';
export { pad } from './ops/pad.ts';
export * from './ops/reductions.ts';
export {
  type RowExpression,
  type RowFormula,
  type RowReduction,
  type RowSurroundings,
  rowwise,
} from './ops/rowwise.ts';
export * from './ops/softmax.ts';
export * from './promote.ts';
export * from './random.ts';
export type { ItemOf, Nested } from './read.ts';
export { openScope, Scope, scope } from './scope.ts';
export {
  broadcastShapes,
  describeShape,
  type Layout,
  rowMajor,
  type Shape,
  sameShape,
  sizeOfShape,
} from './shape.ts';
export type { BackwardOptions } from './tape/backward.ts';
export { gradients, type ValueAndGradients } from './tape/gradients.ts';
export type { Vjp } from './tape/node.ts';
export { parameter } from './tape/parameter.ts';
export { isRecording, type Operation, record } from './tape/record.ts';
export { withoutGradients } from './tape/recording.ts';
export { Tensor } from './tensor.ts';
