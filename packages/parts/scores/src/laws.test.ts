import { scoreLaws } from '@heed/testing';
import { describe, it } from 'vitest';
import {
  additive,
  combination,
  concat,
  cosine,
  coverage,
  dot,
  gaussian,
  general,
  l2Distance,
  laplace,
  linear,
  locationBase,
  locationSensitive,
  mlp,
  scaledDot,
  trilinear,
} from './index.ts';

const size = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

for (const score of [
  additive({ hidden: 3 }),
  additive({ hidden: 3, bias: true, normalized: true }),
  combination({ terms: ['k', 'q*k'] }),
  combination({ terms: ['q', 'k', 'q*k', 'q+k', 'q-k'], bias: true, activation: 'tanh' }),
  concat({ hidden: 3 }),
  cosine(),
  cosine({ strength: 'given' }),
  coverage({ hidden: 3 }),
  dot(),
  gaussian(),
  general(),
  general({ bias: true }),
  general({ bias: true, keyBias: true, activation: 'sigmoid' }),
  l2Distance(),
  l2Distance({ squared: false, scale: 0.5 }),
  laplace(),
  linear(),
  linear({ bias: true }),
  locationSensitive({ hidden: 3, channels: 2 }),
  mlp({ hidden: 3, layers: 1 }),
  mlp({ hidden: 3, layers: 3, activation: 'gelu' }),
  scaledDot(),
  scaledDot({ scale: 0.3 }),
  trilinear(),
  trilinear({ bias: true }),
]) {
  scoreLaws(score, { describe, it });
}

// Trials have up to six keys.
scoreLaws(locationBase(), { describe, it }, { sizes: { positions: 6 } });
// A quotient by what is nearly zero has no digits to compare.
scoreLaws(
  combination({ terms: ['q/k'] }),
  { describe, it },
  { inputs: { k: (shape, _, random) => random.numbers(size(shape)).map((one) => one + Math.sign(one)) } },
);
