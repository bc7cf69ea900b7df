import { describe, expect, it } from 'vitest';
import { defaults } from 'weather';
import { firstView, linkOf, readLink, type View } from './link.ts';

describe('linkOf and readLink', () => {
  it('say nothing about the first view', () => {
    expect(linkOf(firstView)).toBe('');
    expect(readLink('')).toEqual({ view: firstView, ignored: [] });
  });

  it('give back every view', () => {
    const view: View = {
      settings: {
        city: 'New York',
        resolution: 'daily',
        rows: 'day',
        score: 'typed',
        formula: "-norm(q - k) / bandwidth + 2^-1; # & = % “é” 'x'",
        mask: 'causal',
        reach: 3,
        normalizer: 'sparsemax',
        bandwidth: 30,
      },
      step: 7,
    };
    expect(readLink(linkOf(view))).toEqual({ view, ignored: [] });
  });

  it('say which value was not understood, and what would be', () => {
    const { view, ignored } = readLink('#mask=banana&bandwidth=15&step=-1&rows=day');
    expect(view).toEqual({ ...firstView, settings: { ...defaults, rows: 'day' } });
    expect(ignored).toHaveLength(3);
    expect(ignored.join(' ')).toMatch(/“mask” must be one of full, causal, .*banana/);
  });

  it('name settings that do not exist, those of Object.prototype too', () => {
    const { view, ignored } = readLink('#__proto__=1&constructor=2&toString=3&color=red');
    expect(view).toEqual(firstView);
    expect(ignored).toEqual([
      'There is no setting “__proto__”.',
      'There is no setting “constructor”.',
      'There is no setting “toString”.',
      'There is no setting “color”.',
    ]);
  });

  it('take the first of two', () => {
    const { view, ignored } = readLink('#bandwidth=30&bandwidth=45');
    expect(view.settings.bandwidth).toBe(30);
    expect(ignored).toEqual(['“bandwidth” is given twice; the first one counts.']);
  });

  it('refuse a formula too long to be one, and quote only its beginning', () => {
    const { view, ignored } = readLink(`#formula=${'q'.repeat(10_000)}`);
    expect(view.settings.formula).toBe(defaults.formula);
    expect(ignored[0]?.length).toBeLessThan(200);
  });

  it('carry a malicious formula as text and nothing else', () => {
    const formula = 'constructor.constructor("alert(1)")()';
    expect(readLink(`#score=typed&${new URLSearchParams({ formula })}`).view.settings.formula).toBe(formula);
  });
});
