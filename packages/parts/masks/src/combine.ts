// Masks made of masks: all of, any of, all but.

import { type Mask, merge } from '@heed/attention';
import { and, type Bool, type Expr, not, or } from '@heed/expr';
import { DTypeError, ValueError } from '@heed/tensor';

/**
 * Allows a pair that every one of the masks allows. A list of masks given to `attention` means the same; inside `anyOf`
 * and `except` it has to be said.
 *
 * @throws NameError where two masks use one name for different things; DTypeError for what is no mask.
 * @example allOf(document(), causal())
 */
export const allOf = (...masks: readonly [Mask, ...Mask[]]): Mask => combine('allOf', masks, and);

/**
 * Allows a pair that at least one of the masks allows.
 *
 * @throws NameError where two masks use one name for different things; DTypeError for what is no mask.
 * @example anyOf(window({ left: 4, right: 0 }), dilated({ stride: 16 }))
 */
export const anyOf = (...masks: readonly [Mask, ...Mask[]]): Mask => combine('anyOf', masks, or);

/**
 * Allows a pair that the mask does not.
 *
 * @example allOf(causal(), except(window({ left: 0, right: 0 }))) // only what came before
 */
export const except = (mask: Mask): Mask => combine('except', [mask], not);

function combine(
  name: string,
  masks: readonly [Mask, ...Mask[]],
  join: (...conditions: [Expr<Bool>, ...Expr<Bool>[]]) => Expr<Bool>,
): Mask {
  if (masks.length === 0)
    throw new ValueError(`${name}: expected at least one mask. To allow everything, use full().`);
  for (const mask of masks) {
    if (!isMask(mask)) throw new DTypeError(`${name}: expected masks, got ${stranger(mask)}.`);
  }
  const [first, ...rest] = masks;
  return Object.freeze({
    kind: 'mask',
    part: name,
    label: `${name}(${masks.map(({ label }) => label).join(', ')})`,
    ...merge(name, masks),
    refuse: (lengths, sizes) => {
      for (const { refuse, label } of masks) {
        const complaint = refuse(lengths, sizes);
        if (complaint !== null) return `${label}: ${complaint}`;
      }
      return null;
    },
    body: join(first.body, ...rest.map(({ body }) => body)),
  } satisfies Mask);
}

const isMask = (mask: unknown): mask is Mask =>
  typeof mask === 'object' && mask !== null && 'kind' in mask && mask.kind === 'mask' && 'body' in mask;

function stranger(mask: unknown): string {
  if (typeof mask === 'function')
    return `a factory; call it: ${'partName' in mask ? mask.partName : 'name'}()`;
  if (typeof mask === 'object' && mask !== null && 'kind' in mask) return `a ${mask.kind}`;
  return typeof mask === 'string' ? `the name '${mask}'; import the mask and call it` : String(mask);
}
