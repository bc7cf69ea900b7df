// @heed/scores: scoring functions, one a file.

export { additive } from './additive.ts';
export { combination } from './combination.ts';
export { concat } from './concat.ts';
export { cosine } from './cosine.ts';
export { coverage, coverageLoss } from './coverage.ts';
export { dot } from './dot.ts';
export { gaussian } from './gaussian.ts';
export { general } from './general.ts';
export { l2Distance } from './l2-distance.ts';
export { laplace } from './laplace.ts';
export { linear } from './linear.ts';
export { locationBase } from './location-base.ts';
export { locationFeatures } from './location-features.ts';
export { locationSensitive } from './location-sensitive.ts';
export { mlp } from './mlp.ts';
export { scaledDot } from './scaled-dot.ts';
export { trilinear } from './trilinear.ts';
