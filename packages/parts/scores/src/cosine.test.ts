import { describe, expect, it } from 'vitest';
import { cosine } from './cosine.ts';
import { message, scoreOf } from './pair.fixture.ts';

describe('cosine', () => {
  it('is the cosine of the angle, whatever the lengths', () => {
    expect(scoreOf(cosine(), [1, 0], [5, 5])).toBeCloseTo(Math.SQRT1_2, 14);
    expect(scoreOf(cosine(), [100, 0], [-0.01, 0])).toBeCloseTo(-1, 14);
  });

  it('is 0 for a row of zeros', () => {
    expect(scoreOf(cosine(), [0, 0], [5, 5])).toBe(0);
    expect(scoreOf(cosine(), [0, 0], [0, 0])).toBe(0);
  });

  it('takes a strength for each query, as a controller emits it', () => {
    const given = cosine({ strength: 'given' });
    expect(scoreOf(given, [1, 0], [5, 5], { strengths: 4 })).toBeCloseTo(4 * Math.SQRT1_2, 14);
    expect([given.uniforms, cosine().inputs]).toEqual([{}, {}]);
    expect(given.inputs).toMatchObject({ strengths: { along: ['batch', 'head', 'query'] } });
  });

  it('is multiplied by beta, which calls may change', () => {
    expect(scoreOf(cosine({ beta: 10 }), [1, 0], [1, 0])).toBeCloseTo(10, 14);
    expect(cosine({ beta: 10 }).uniforms).toEqual({ beta: { element: 'float', value: 10 } });
    // @ts-expect-error: a number
    expect(message(() => cosine({ beta: true }))).toMatchInlineSnapshot(
      `"ValueError: score "cosine": the option "beta" expects a finite number, got true."`,
    );
  });
});
