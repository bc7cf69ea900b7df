// weather: attention as kernel regression on a weather record. Runs anywhere; main.ts is the command.

export { type FitPicture, type Palette, plotFit } from './chart.ts';
export { type Counted, counted } from './counted.ts';
export { crossValidate } from './cross-validation.ts';
export { baselines, errorOf, type HeldError } from './error.ts';
export { createFitter, type Fit, type FitOptions, type Fitter } from './fitter.ts';
export { type MaskName, maskKinds } from './masks.ts';
export { type NormalizerName, normalizerKinds } from './normalizers.ts';
export { type City, cities, type Day, readRecord } from './record.ts';
export { type Rows, rowKinds, rowsOf } from './rows.ts';
export { type ScoreKind, type ScoreName, scoreKinds } from './scores.ts';
export { type Resolution, resolutions, type Series, type Step, seriesOf } from './series.ts';
export { bandwidths, defaults, farthestReach, longestFormula, type Settings } from './settings.ts';
