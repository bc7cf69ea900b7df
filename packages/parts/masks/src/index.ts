// @heed/masks: who may attend to whom, and what is done to scores and weights by position. One part a file.

export { alignment, position } from './alignment.ts';
export { allowed } from './allowed.ts';
export { biasAllows } from './bias-allows.ts';
export { blockLocal } from './block-local.ts';
export { causal } from './causal.ts';
export { allOf, anyOf, except } from './combine.ts';
export { dilated } from './dilated.ts';
export { document } from './document.ts';
export { full } from './full.ts';
export { globalWindow } from './global-window.ts';
export { local } from './local.ts';
export { alibi, alibiSlopes } from './modifiers/alibi.ts';
export { bias } from './modifiers/bias.ts';
export { learnedScale } from './modifiers/learned-scale.ts';
export { relativeTable } from './modifiers/relative-table.ts';
export { softcap } from './modifiers/softcap.ts';
export { temperature } from './modifiers/temperature.ts';
export { padding } from './padding.ts';
export { prefix } from './prefix.ts';
export { queryPadding } from './query-padding.ts';
export { localGaussian } from './reweights/local-gaussian.ts';
export { strided } from './strided.ts';
export { window } from './window.ts';
