import type { Mask } from '@heed/attention';
import { describe, expect, it } from 'vitest';
import { causal } from './causal.ts';
import { allOf, anyOf, except } from './combine.ts';
import { padding } from './padding.ts';
import { message, picture } from './picture.fixture.ts';
import { window } from './window.ts';

const square = { queries: 4, keys: 4 };

describe('allOf, anyOf, except', () => {
  it('join masks as and, or, not', () => {
    const near = window({ left: 1, right: 1 });
    expect(picture(allOf(causal(), near), square)).toEqual(['#...', '##..', '.##.', '..##']);
    expect(picture(anyOf(causal(), near), square)).toEqual(['##..', '###.', '####', '####']);
    expect(picture(except(causal()), square)).toEqual(['.###', '..##', '...#', '....']);
    expect(
      picture(allOf(causal(), except(anyOf(near, padding()))), { ...square, given: () => ({ lengths: 1 }) }),
    ).toEqual(['....', '....', '....', '.#..']);
  });

  it('declare what their masks declare', () => {
    const both = allOf(causal({ offset: 2 }), window({ left: 3, right: 0, offset: 2 }), padding());
    expect(both.label).toBe('allOf(causal(offset: 2), window(left: 3, right: 0, offset: 2), padding)');
    expect(both.uniforms).toEqual({ offset: { element: 'int', value: 2 } });
    expect(Object.keys(both.inputs)).toEqual(['lengths']);
  });

  it('pass on the complaints of their masks', () => {
    expect(message(() => picture(except(allOf(padding(), causal())), { queries: 1, keys: 2 }))).toMatch(
      /^allOf\(padding, causal\): causal: there are 1 queries and 2 keys/,
    );
  });

  it('refuse masks that disagree', () => {
    expect(
      message(() => allOf(causal({ offset: 2 }), window({ left: 3, right: 0, offset: 1 }))),
    ).toMatchInlineSnapshot(
      `"NameError: allOf: mask causal(offset: 2) and mask window(left: 3, right: 0, offset: 1) both declare "offset" (a uniform, int 2; a uniform, int 1). Rename it in one of the definitions, or make the declarations equal."`,
    );
  });

  it('refuse what is no mask', () => {
    // @ts-expect-error: a factory
    expect(message(() => anyOf(causal))).toMatchInlineSnapshot(
      `"DTypeError: anyOf: expected masks, got a factory; call it: causal()."`,
    );
    // @ts-expect-error: a name
    expect(message(() => except('causal'))).toMatchInlineSnapshot(
      `"DTypeError: except: expected masks, got the name 'causal'; import the mask and call it."`,
    );
    // @ts-expect-error: at least one
    expect(message(() => allOf())).toMatchInlineSnapshot(
      `"ValueError: allOf: expected at least one mask. To allow everything, use full()."`,
    );
    const none: readonly Mask[] = [];
    // @ts-expect-error: at least one
    expect(message(() => anyOf(...none))).toMatchInlineSnapshot(
      `"ValueError: anyOf: expected at least one mask. To allow everything, use full()."`,
    );
  });
});
