import { describe, expect, it } from 'vitest';
import { at, message } from '../picture.fixture.ts';
import { alibi, alibiSlopes } from './alibi.ts';
import { bias } from './bias.ts';
import { learnedScale } from './learned-scale.ts';
import { relativeTable } from './relative-table.ts';
import { softcap } from './softcap.ts';
import { temperature } from './temperature.ts';

const square = { queries: 4, keys: 4 };

describe('alibi', () => {
  it('takes off slope times distance, with slopes of powers of 1/2', () => {
    // Eight heads: 1/2, 1/4, ... 1/256.
    expect(at(alibi(), { ...square, heads: 8, head: 0 }, 3, 1, 10)).toBeCloseTo(10 - 2 / 2, 12);
    expect(at(alibi(), { ...square, heads: 8, head: 7 }, 3, 1, 10)).toBeCloseTo(10 - 2 / 256, 12);
    expect(at(alibi(), { ...square, heads: 1 }, 1, 3)).toBeCloseTo(2 / 256, 12);
    expect(at(alibi({ distance: 'absolute' }), { ...square, heads: 1 }, 1, 3)).toBeCloseTo(-2 / 256, 12);
  });

  it('takes slopes that are given', () => {
    expect(
      at(alibi({ slope: 'given' }), { ...square, heads: 3, given: () => ({ slopes: 0.25 }) }, 3, 1, 10),
    ).toBe(9.5);
    expect(alibi().inputs).toEqual({});
  });

  it('follows the alignment', () => {
    expect(at(alibi({ align: 'end' }), { queries: 1, keys: 4, heads: 1 }, 0, 1)).toBeCloseTo(-2 / 256, 12);
    expect(message(() => at(alibi(), { queries: 1, keys: 4 }, 0, 1))).toContain('which ends line up');
  });

  it('asks for slopes where formula and code of the paper differ', () => {
    expect(message(() => at(alibi(), { ...square, heads: 12 }, 0, 1))).toMatchInlineSnapshot(
      `"for 12 heads, no power of two, the paper's formula and its code give different slopes. Give them: alibi({ slope: 'given' }) with inputs.slopes made from alibiSlopes(12), which are the code's."`,
    );
    expect(alibiSlopes(4)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
    // As printed by the code of Press et al. for 6 heads: the 4 of the power of two below, then 2^-1 and 2^-3.
    expect(alibiSlopes(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
  });
});

describe('softcap', () => {
  it('levels off at the cap', () => {
    expect(at(softcap(), square, 0, 0, 1e6)).toBe(50);
    expect(at(softcap({ cap: 2 }), square, 0, 0, 1)).toBeCloseTo(2 * Math.tanh(0.5), 14);
    expect(message(() => softcap({ cap: 0 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "softcap": the option "cap" expects a finite number above 0, got 0."`,
    );
  });
});

describe('temperature', () => {
  it('divides', () => {
    expect(at(temperature(), square, 0, 0, 3)).toBe(3);
    expect(at(temperature({ temperature: 4 }), square, 0, 0, 3)).toBe(0.75);
    expect(message(() => temperature({ temperature: -1 }))).toMatchInlineSnapshot(
      `"ValueError: modifier "temperature": the option "temperature" expects a finite number above 0, got -1."`,
    );
  });
});

describe('learnedScale', () => {
  it('multiplies by what is trained', () => {
    expect(at(learnedScale(), { ...square, given: () => ({ scale: 3 }) }, 0, 0, 2)).toBe(6);
    expect(at(learnedScale({ per: 'head' }), { ...square, given: () => ({ headScale: 3 }) }, 0, 0, 2)).toBe(
      6,
    );
    expect(Object.keys(learnedScale().params)).toEqual(['scale']);
    expect(learnedScale({ per: 'head' }).params).toMatchObject({
      headScale: { along: ['head'], initial: 1 },
    });
  });
});

describe('bias', () => {
  it('adds', () => {
    expect(at(bias(), { ...square, given: () => ({ bias: -0.5 }) }, 0, 0, 2)).toBe(1.5);
  });
});

describe('relativeTable', () => {
  it('adds the entry of the clipped distance', () => {
    const relative = { sizes: [5], data: [10, 20, 30, 40, 50] };
    const table = relativeTable({ max: 2 });
    const entries = [0, 1, 2, 3].map((key) =>
      at(table, { ...square, given: () => ({ relative }) }, 0, key, 1),
    );
    expect(entries).toEqual([31, 21, 11, 11]);
    expect(at(table, { ...square, given: () => ({ relative }) }, 3, 0, 1)).toBe(51);
  });
});
