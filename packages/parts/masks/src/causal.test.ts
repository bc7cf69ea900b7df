import { describe, expect, it } from 'vitest';
import { causal } from './causal.ts';
import { message, picture } from './picture.fixture.ts';

describe('causal', () => {
  it('lets no query see what comes after it', () => {
    expect(picture(causal(), { queries: 4, keys: 4 })).toEqual(['#...', '##..', '###.', '####']);
  });

  it('asks which ends line up where lengths differ', () => {
    expect(message(() => picture(causal(), { queries: 2, keys: 5 }))).toMatchInlineSnapshot(
      `"there are 2 queries and 5 keys, so say which ends line up: align: 'end' puts the last query at the last key (as with a cache), align: 'start' puts query 0 at key 0, offset: n puts query 0 at key n."`,
    );
  });

  it('lines up the ends it is told', () => {
    expect(picture(causal({ align: 'start' }), { queries: 2, keys: 5 })).toEqual(['#....', '##...']);
    expect(picture(causal({ align: 'end' }), { queries: 2, keys: 5 })).toEqual(['####.', '#####']);
    expect(picture(causal({ offset: 2 }), { queries: 2, keys: 5 })).toEqual(['###..', '####.']);
    expect(
      picture(causal({ align: 'lengths' }), { queries: 2, keys: 5, given: () => ({ lengths: 3 }) }),
    ).toEqual(['##...', '###..']);
  });

  it('leaves early queries without a key where keys are fewer', () => {
    expect(picture(causal({ align: 'end' }), { queries: 4, keys: 2 })).toEqual(['..', '..', '#.', '##']);
    expect(picture(causal({ align: 'start' }), { queries: 4, keys: 2 })).toEqual(['#.', '##', '##', '##']);
  });

  it('takes its offset from the call', () => {
    const cached = causal({ offset: 0 });
    expect(cached.uniforms).toEqual({ offset: { element: 'int', value: 0 } });
    expect(picture(cached, { queries: 1, keys: 5, given: () => ({ offset: 3 }) })).toEqual(['####.']);
    expect(causal().uniforms).toEqual({});
    expect(causal({ align: 'end' }).inputs).toEqual({});
  });

  it('refuses what says two things', () => {
    expect(message(() => causal({ align: 'end', offset: 3 }))).toMatchInlineSnapshot(
      `"ValueError: mask "causal": align: 'end' and offset: 3 both say which key a query stands at. Give one of them."`,
    );
    // @ts-expect-error: one of four words
    expect(message(() => causal({ align: 'bottom-right' }))).toMatchInlineSnapshot(
      `"ValueError: mask "causal": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 'bottom-right'."`,
    );
    expect(message(() => causal({ offset: 1.5 }))).toMatchInlineSnapshot(
      `"ValueError: mask "causal": the option "offset" expects a whole number, got 1.5."`,
    );
  });
});
