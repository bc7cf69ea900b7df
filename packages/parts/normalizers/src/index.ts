// @heed/normalizers: from the scores of a row to its weights, one a file.

export { adaptiveEntmax } from './adaptive-entmax.ts';
export { entmax } from './entmax.ts';
export { entmax15 } from './entmax-15.ts';
export { gumbel } from './gumbel.ts';
export { hard } from './hard.ts';
export { identity } from './identity.ts';
export { chunkwise } from './monotonic/chunkwise.ts';
export {
  type MonotonicMode,
  type MonotonicOptions,
  monotonicAlignments,
  monotonicStep,
} from './monotonic/monotonic.ts';
export { movingBaseline, type ReinforceOptions, reinforce } from './reinforce.ts';
export { relu } from './relu.ts';
export { type Sampled, sampled } from './sampled.ts';
export { sigmoid } from './sigmoid.ts';
export { softmax } from './softmax.ts';
export { sparsemax } from './sparsemax.ts';
export { type Chosen, straightThrough } from './straight-through.ts';
