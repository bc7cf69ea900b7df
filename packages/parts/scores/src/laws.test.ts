import { scoreLaws } from '@heed/testing';
import { describe, it } from 'vitest';
import { additive } from './additive.ts';
import { concat } from './concat.ts';
import { cosine } from './cosine.ts';
import { dot } from './dot.ts';
import { gaussian } from './gaussian.ts';
import { general } from './general.ts';
import { laplace } from './laplace.ts';
import { linear } from './linear.ts';
import { scaledDot } from './scaled-dot.ts';
import { trilinear } from './trilinear.ts';

for (const score of [
  additive({ hidden: 3 }),
  additive({ hidden: 3, bias: true, normalized: true }),
  concat({ hidden: 3 }),
  cosine(),
  dot(),
  gaussian(),
  general(),
  general({ bias: true }),
  laplace(),
  linear(),
  linear({ bias: true }),
  scaledDot(),
  scaledDot({ scale: 0.3 }),
  trilinear(),
  trilinear({ bias: true }),
]) {
  scoreLaws(score, { describe, it });
}
