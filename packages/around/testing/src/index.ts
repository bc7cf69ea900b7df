// @heed/testing: the laws of heed, for anyone's scores, masks, normalizers and backends.

export { LawError } from './assert.ts';
export {
  type GradientCheckOptions,
  type GradientElement,
  type GradientReport,
  gradientCheck,
} from './gradient-check.ts';
export { type AttentionCheckOptions, checkAttention } from './laws/attention.ts';
export { type BackendLawOptions, backendLaws } from './laws/backend/index.ts';
export type { Runner, Skip } from './laws/law.ts';
export { maskLaws } from './laws/mask.ts';
export { modifierLaws } from './laws/modifier.ts';
export { normalizerLaws } from './laws/normalizer.ts';
export type { LawOptions } from './laws/options.ts';
export { reweightLaws } from './laws/reweight.ts';
export { scoreLaws } from './laws/score.ts';
export type { Random } from './random.ts';
export type { AxisLengths, SceneOptions } from './scene/scene.ts';
export { MULTIPLE, roundoff } from './tolerance.ts';
