// @heed/scores: scoring functions, one a file.

export { additive } from './additive.ts';
export { concat } from './concat.ts';
export { cosine } from './cosine.ts';
export { dot } from './dot.ts';
export { gaussian } from './gaussian.ts';
export { general } from './general.ts';
export { laplace } from './laplace.ts';
export { linear } from './linear.ts';
export { scaledDot } from './scaled-dot.ts';
export { trilinear } from './trilinear.ts';
