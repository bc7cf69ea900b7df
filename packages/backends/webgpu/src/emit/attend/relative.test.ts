import { defineNormalizer } from '@heed/attention';
import { type Expr, exp, maximum, mul, print, type Scalar, scalar, sub } from '@heed/expr';
import { adaptiveEntmax, entmax15, hard, sparsemax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { describe, expect, it } from 'vitest';
import { programsOf } from '../../../../trials/gradient.fixture.ts';
import { programOf } from '../../../../trials/scene.fixture.ts';
import { gradientOf } from '../attend-gradient/design.ts';
import { Axes } from './formulas.ts';
import { scoreTerm } from './relative.ts';

interface Read {
  readonly score: Expr<Scalar>;
  readonly level: Expr<Scalar>;
  readonly params: { readonly sharpness: Expr<Scalar> };
}

const normalizer = (weight: (read: Read) => Expr<Scalar>, along: 'head' | 'key' = 'head') =>
  defineNormalizer({
    name: 'own',
    params: { sharpness: { type: scalar, along: [along] } },
    weight: weight as never,
    level: { low: ({ maximum: top }) => sub(top, 1), high: ({ maximum: top }) => top },
  })();

/** Printed; null where there is none. */
function termOf(own: ReturnType<typeof sparsemax>): string | null {
  const { inputs, normalizer: form } = programOf({ score: scaledDot(), normalizer: own }, {});
  const term = scoreTerm(form.weight, new Axes((name) => inputs[name]?.along));
  return term && print(term);
}

describe('what a level changes by where all scores of a row do', () => {
  it('is a multiple of the score', () => {
    expect(termOf(sparsemax())).toBe('score');
    expect(termOf(entmax15())).toBe('mul(score, 0.5)');
    expect(termOf(adaptiveEntmax())).toMatch(/^mul\(score, \S+\)$/);
    expect(
      termOf(normalizer(({ score, level, params }) => maximum(mul(params.sharpness, sub(score, level)), 0))),
    ).toBe('score');
  });

  it('is not known of weights that read their score or level otherwise', () => {
    expect(termOf(hard())).toBeNull();
    expect(
      termOf(normalizer(({ score, level }) => mul(maximum(sub(score, level), 0), exp(level)))),
    ).toBeNull();
    expect(
      termOf(normalizer(({ score, level }) => mul(maximum(sub(score, level), 0), exp(score)))),
    ).toBeNull();
    expect(termOf(normalizer(({ score, level }) => maximum(sub(mul(score, score), level), 0)))).toBeNull();
    expect(
      termOf(normalizer(({ score, level }) => maximum(sub(mul(score, 2), mul(level, 2)), 0))),
    ).toBeNull();
  });

  it('must be the same for all keys', () => {
    const sharp = ({ score, level, params }: Read) => maximum(sub(mul(score, params.sharpness), level), 0);
    expect(termOf(normalizer(sharp))).toMatch(/^mul\(score, \S+\)$/);
    expect(termOf(normalizer(sharp, 'key'))).toBeNull();
  });

  it.each([true, false])('does not serve what a level gives a weight’s own inputs directly: %s', (level) => {
    const lengths = { batch: 1, head: 1, keyHead: 1, query: 2, key: 2 };
    const upstream = { context: true, weights: false, level };
    const { stored } = programsOf(
      { options: { score: scaledDot(), normalizer: adaptiveEntmax() } },
      { lengths, features: 2, values: 2, seed: 1, pool: 0, upstream },
    );
    const { inputs } = stored.forward;
    const operands = Object.fromEntries(
      Object.entries(inputs).map(([name, { type, dtype, along }]) => {
        const layout = { shape: [], strides: [], offset: 0 };
        return [name, { name, tensor: name, type, dtype, along, layout, computed: false }];
      }),
    );
    const axes = new Axes((name) => inputs[name]?.along);
    const design = { program: stored.forward, operands, axes, cheaper: null, product: null, bounded: true };
    expect(gradientOf(stored.backward, design).relative).toBe(!level);
  });
});
