// Laws that cannot fail are none: each is shown a part or a backend that breaks it.
import {
  attention,
  defineMask,
  defineModifier,
  defineNormalizer,
  defineReweight,
  defineScore,
  type Normalizer,
  plan,
} from '@heed/attention';
import * as e from '@heed/expr';

import type { BackendPlugin } from '@heed/tensor';
import { describe, expect, it, vi } from 'vitest';
import { spoils } from './faults.fixture.ts';
import { differentiates } from './gradient.ts';
import type { Law } from './law.ts';
import { emptyRows, hides, maskLaws } from './mask.ts';
import { compilesOnce, modifierLaws } from './modifier.ts';
import { normalizerLaws } from './normalizer.ts';
import { settle } from './options.ts';
import { plainDot, plainSoftmax } from './plain.ts';
import { reweightLaws, stays } from './reweight.ts';
import { scoreLaws } from './score.ts';
import type { Subject } from './subject.ts';
import { tilesTell } from './tiles.ts';
import { staged } from './value.ts';
import { broken, verdictsOf } from './verdicts.fixture.ts';

// Many scenes each, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const settings = settle({});
const subject: Subject = { options: { score: plainDot(), normalizer: plainSoftmax() }, roots: {}, settings };
const failing = async (law: Law): Promise<string> =>
  law.check().then(
    () => 'held',
    (problem: Error) => `${problem.message} ${problem.cause instanceof Error ? problem.cause.message : ''}`,
  );

const isAttend = ({ kind }: { readonly kind: string }): boolean => kind === 'attend';

describe('laws of scores notice', () => {
  const cases: Readonly<Record<string, readonly [string, BackendPlugin]>> = {
    'a wrong score, weight or context': ['gives on the device what the formula says', spoils(isAttend)],
    'a wrong gradient': ['gradients on the device', spoils(({ kind }) => kind === 'attend-gradient')],
    'an order of keys that matters': ['permuting keys', spoils(isAttend)],
    'a batch entry that sees another': [
      'batch entries',
      spoils((_, { sizes }) => (sizes.batches ?? sizes.batch ?? 0) > 1, 1),
    ],
    'a head that sees another': [
      'heads do not see',
      spoils((_, { sizes }) => (sizes.heads ?? sizes.head ?? 0) > 1),
    ],
    'grouped heads that are no repeated heads': [
      'grouped heads',
      spoils((_, { sizes }) => (sizes.keyHeads ?? sizes.keyHead ?? 0) === 1),
    ],
  };
  for (const [name, [law, backend]] of Object.entries(cases)) {
    it(name, async () => {
      const verdicts = await verdictsOf(
        (runner) => scoreLaws(plainDot, runner, { backend, runs: 20 }),
        [law],
      );
      expect(Object.keys(verdicts)).toHaveLength(1);
      expect(broken(verdicts)).toHaveLength(1);
    });
  }

  it('a staging that changes the value', async () => {
    const wrong: typeof plan = (spec, problem) => {
      const right = plan(spec, problem);
      return { ...right, program: { ...right.program, score: e.mul(right.program.score, 1 + 1e-9) } };
    };
    expect(await failing(staged(subject, wrong))).toMatch(/staged score at .*expected .*, got/);
  });

  it('a rewrite for cost that changes the value', async () => {
    const hidden = defineScore({
      name: 'hidden',
      score: ({ q, k }) => e.sum(e.tanh(e.add(q, k))),
    });
    const own: Subject = { ...subject, options: { ...subject.options, score: hidden() } };
    let seen = false;
    const wrong: typeof plan = (spec, problem) => {
      const right = plan(spec, problem);
      const { cheaper } = right.program;
      if (!cheaper) return right;
      seen = true;
      const roots = { score: e.add(cheaper.roots.score as e.Expr<e.Scalar>, 1e-3) };
      return { ...right, program: { ...right.program, cheaper: { ...cheaper, roots } } };
    };
    expect(await failing(staged(own))).toBe('held');
    expect(await failing(staged(own, wrong))).toMatch(/the cheaper score at/);
    expect(seen).toBe(true);
  });

  it('a scaled derivative', async () => {
    expect(await failing(differentiates(subject))).toBe('held');
    const wrong = spoils(({ kind }) => kind === 'attend-gradient');
    expect(await failing(differentiates(subject, wrong))).toMatch(
      /gradient of (q|k|value)\[\d+(, \d+)*\]: backward\(\) gave/,
    );
  });

  it('a formula that its text does not tell apart', async () => {
    const twoNames = e.trace('twice', e.scalar, (declare) => {
      const home = e.graph(declare('a', e.scalar));
      const [a, other] = [
        e.asExpr(e.input(home, 'a', e.scalar, [])),
        e.asExpr(e.input(home, 'a', e.scalar, ['key'])),
      ];
      return e.add(a, other);
    });
    const odd = { ...plainDot(), body: twoNames };
    expect(broken(await verdictsOf((runner) => scoreLaws(odd, runner), ['printing']))).toHaveLength(1);
  });
});

describe('laws of modifiers notice', () => {
  const shift = defineModifier({
    name: 'shift',
    uniforms: { by: 1 },
    modify: ({ score, uniforms: { by } }) => e.add(score, by),
  });

  it('an order that is not the one written', async () => {
    const wrong = spoils(isAttend);
    const verdicts = await verdictsOf(
      (runner) => modifierLaws(shift, runner, { backend: wrong }),
      ['in the order'],
    );
    expect(broken(verdicts)).toHaveLength(1);
  });

  it('a uniform that makes a new kernel', async () => {
    const own: Subject = { ...subject, options: { ...subject.options, modifiers: [shift()] } };
    let n = 0;
    const renewed: typeof attention = (options) => {
      const constant = ++n;
      const more = defineModifier({ name: 'more', modify: ({ score }) => e.add(score, constant) });
      return attention({ ...options, modifiers: [shift(), more()] });
    };
    expect(await failing(compilesOnce(own))).toBe('held');
    expect(await failing(compilesOnce(own, renewed))).toMatch(/compiled \d+ new kernels/);
  });
});

/** Masking by arithmetic: what is hidden is multiplied by zero. */
const byZero = defineReweight({
  name: 'by-zero',
  inputs: { givenPairs: { type: e.bool, along: ['batch', 'head', 'query', 'key'] } },
  factor: ({ inputs }) => e.select(inputs.givenPairs, 1, 0),
});
const arithmetic = (options: Subject['options']) => ({
  ...options,
  reweight: [...(options.reweight ?? []), byZero()],
});

describe('laws of reweights notice', () => {
  const trusting = defineReweight({
    name: 'trusting',
    uniforms: { least: 0.5 },
    inputs: { trust: { type: e.scalar, along: ['batch', 'keyHead', 'key'] } },
    factor: ({ inputs: { trust }, uniforms: { least } }) => e.add(least, trust),
  });
  const own: Subject = { ...subject, options: { ...subject.options, reweight: [trusting()] } };

  const cases: Readonly<Record<string, readonly [string, BackendPlugin]>> = {
    'a wrong weight, context or level': ['gives on the device what the formula says', spoils(isAttend)],
    'a wrong gradient': ['gradients on the device', spoils(({ kind }) => kind === 'attend-gradient')],
    'an order of keys that matters': ['permuting keys', spoils(isAttend)],
  };
  for (const [name, [law, backend]] of Object.entries(cases)) {
    it(name, async () => {
      const on = (options: object) =>
        verdictsOf((runner) => reweightLaws(trusting, runner, { runs: 20, ...options }), [law]);
      expect(broken(await on({}))).toHaveLength(0);
      expect(broken(await on({ backend }))).toHaveLength(1);
    });
  }

  it('a staging that changes the factor', async () => {
    const wrong: typeof plan = (spec, problem) => {
      const right = plan(spec, problem);
      return { ...right, program: { ...right.program, reweight: e.mul(right.program.reweight, 1 + 1e-9) } };
    };
    expect(await failing(staged(own))).toBe('held');
    expect(await failing(staged(own, wrong))).toMatch(/staged factor at .*expected .*, got/);
  });

  it('a NaN that leaks', async () => {
    expect(await failing(stays(own, trusting()))).toBe('held');
    expect(await failing(stays(own, trusting(), arithmetic))).toMatch(/NaN in the inputs of masked pairs/);
  });
});

describe('laws of masks notice', () => {
  const past = defineMask({ name: 'past', allowed: ({ query, key }) => e.le(key, query) })();

  it('bounds that lie', async () => {
    const lying = () => () => ({ low: 1, high: 1 });
    expect(await failing(tilesTell(subject, past))).toBe('held');
    expect(await failing(tilesTell(subject, past, lying))).toMatch(
      /was decided true, but query \d+ and key \d+ are not allowed/,
    );
  });

  it('pairs that are not those of the formula', async () => {
    const verdicts = await verdictsOf(
      (runner) => maskLaws(past, runner, { backend: spoils(isAttend) }),
      ['allows on the device'],
    );
    expect(broken(verdicts)).toHaveLength(1);
  });

  it('a NaN that leaks', async () => {
    expect(await failing(hides(subject, past))).toBe('held');
    expect(await failing(hides(subject, past, arithmetic))).toMatch(/poison in masked keys/);
  });

  it('rows without a key that are not empty', async () => {
    expect(await failing(emptyRows(subject, past))).toBe('held');
    expect(await failing(emptyRows(subject, past, arithmetic))).toMatch(/level|context|weights/);
  });
});

describe('laws of normalizers notice', () => {
  type Score = e.Expr<e.Scalar>;
  const right = defineNormalizer({
    name: 'right',
    weight: ({ score, level }) => e.exp(e.sub(score, level)),
    level: 'log-sum-exp',
  });
  /** A level between two bounds, below and above the largest score. */
  const between = (low: number, high: number, weight: (score: Score, level: Score) => Score) =>
    defineNormalizer({
      name: 'wrong',
      weight: ({ score, level }) => weight(score, level),
      level: { low: ({ maximum }) => e.add(maximum, low), high: ({ maximum }) => e.add(maximum, high) },
    });
  /** Sums to one, by a level that does not move with the scores. */
  const squared = defineNormalizer({
    name: 'squared',
    weight: ({ score, level }) => e.maximum(e.sub(e.square(score), level), 0),
    level: { low: () => -2, high: () => 400 },
  });
  const cases: Readonly<Record<string, readonly [string, () => Normalizer]>> = {
    'negative weights': ['not negative', between(-1000, 0, (score, level) => e.sub(score, level))],
    'weights that do not sum to one': [
      'sum to one',
      between(-0.5, -0.5, (score, level) => e.maximum(e.sub(score, level), 0)),
    ],
    'weights that a constant moves': ['adding a constant', squared],
    'weights that overflow': [
      'scores of 1e4',
      between(0, 5, (score, level) => e.div(e.exp(score), e.exp(level))),
    ],
  };
  for (const [name, [law, wrong]] of Object.entries(cases)) {
    it(name, async () => {
      expect(broken(await verdictsOf((runner) => normalizerLaws(right, runner), [law]))).toHaveLength(0);
      expect(broken(await verdictsOf((runner) => normalizerLaws(wrong, runner), [law]))).toHaveLength(1);
    });
  }

  it('fully masked rows that hold something', async () => {
    const verdicts = await verdictsOf(
      (runner) => normalizerLaws(right, runner, { backend: spoils(isAttend) }),
      ['without an allowed key'],
    );
    expect(broken(verdicts)).toHaveLength(1);
  });

  it('a context that depends on whether weights were asked for', async () => {
    const backend = spoils((program) => program.kind === 'attend' && program.keep.weights !== false);
    expect(
      broken(
        await verdictsOf((runner) => normalizerLaws(right, runner, { backend }), ['asking for weights']),
      ),
    ).toHaveLength(1);
  });
});

describe('skips', () => {
  it('name a law and a reason', async () => {
    const skip = [{ law: 'permuting keys permutes weights', reason: 'the order of keys is meant to matter' }];
    const names = Object.keys(
      await verdictsOf((runner) => scoreLaws(plainDot, runner, { skip, runs: 1 }), ['permuting']),
    );
    expect(names).toEqual([
      'permuting keys permutes weights (skipped: the order of keys is meant to matter)',
    ]);
    const unknown = [{ law: 'permuting', reason: 'a slip' }];
    expect(() => scoreLaws(plainDot, { describe, it }, { skip: unknown })).toThrow(
      /there is no law "permuting" to skip/,
    );
    const silent = [{ law: 'permuting keys permutes weights', reason: ' ' }];
    expect(() => scoreLaws(plainDot, { describe, it }, { skip: silent })).toThrow(/needs a reason/);
  });

  it('failures say how to bring them back', async () => {
    const verdicts = await verdictsOf(
      (runner) => scoreLaws(plainDot, runner, { backend: spoils(isAttend), seed: 42 }),
      ['gives on the device'],
    );
    expect(Object.values(verdicts)[0]).toMatch(
      /seed: 42, path: .*\n.*Counterexample[\s\S]*expected .*, got .*: off by/,
    );
  });
});
