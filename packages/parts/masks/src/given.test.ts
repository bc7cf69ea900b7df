import { describe, expect, it } from 'vitest';
import { allowed } from './allowed.ts';
import { biasAllows } from './bias-allows.ts';
import { document } from './document.ts';
import { padding } from './padding.ts';
import { picture } from './picture.fixture.ts';
import { prefix } from './prefix.ts';
import { queryPadding } from './query-padding.ts';

describe('padding', () => {
  it('allows the keys of a length', () => {
    expect(picture(padding(), { queries: 2, keys: 4, given: () => ({ lengths: 3 }) })).toEqual([
      '###.',
      '###.',
    ]);
    expect(picture(padding(), { queries: 1, keys: 2, given: () => ({ lengths: 0 }) })).toEqual(['..']);
    expect(padding().inputs).toMatchObject({ lengths: { along: ['batch'] } });
  });
});

describe('queryPadding', () => {
  it('leaves nothing to queries beyond a length', () => {
    expect(picture(queryPadding(), { queries: 3, keys: 2, given: () => ({ queryLengths: 2 }) })).toEqual([
      '##',
      '##',
      '..',
    ]);
  });
});

describe('prefix', () => {
  it('shows the prefix to all and the past to each', () => {
    expect(picture(prefix(), { queries: 4, keys: 4, given: () => ({ prefixLengths: 2 }) })).toEqual([
      '##..',
      '##..',
      '###.',
      '####',
    ]);
    expect(
      picture(prefix({ align: 'end' }), { queries: 2, keys: 4, given: () => ({ prefixLengths: 1 }) }),
    ).toEqual(['###.', '####']);
  });
});

describe('document', () => {
  it('keeps each document to itself', () => {
    const ids = [0, 0, 1, 2, 2];
    const given = (query: number, key: number) => ({
      queryDocuments: ids[query] as number,
      keyDocuments: ids[key] as number,
    });
    expect(picture(document(), { queries: 5, keys: 5, given })).toEqual([
      '##...',
      '##...',
      '..#..',
      '...##',
      '...##',
    ]);
  });
});

describe('allowed', () => {
  it('allows what is true', () => {
    expect(
      picture(allowed(), { queries: 2, keys: 2, given: (query, key) => ({ allowed: query !== key }) }),
    ).toEqual(['.#', '#.']);
  });
});

describe('biasAllows', () => {
  it('takes out minus infinity and nothing else', () => {
    const values = [0, -1e9, -3.4e38, Infinity, NaN, -Infinity];
    expect(
      picture(biasAllows(), { queries: 1, keys: 6, given: (_, key) => ({ bias: values[key] as number }) }),
    ).toEqual(['#####.']);
  });
});
