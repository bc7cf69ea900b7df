// What was given to a call, before anything is read off it: a slip is told by its name and not by what it breaks later.

import { didYouMean } from '@heed/expr';
import { DTypeError, NameError, Tensor, ValueError } from '@heed/tensor';
import type { Option } from './define/option.ts';

/** Something that may be left out of a call. */
export const mayGive = (
  expects: string,
  accepts: (value: unknown) => boolean,
): Option<unknown, 'optional'> => ({
  expects,
  accepts,
  presence: 'optional',
  fallback: undefined,
});

/** What somebody gave in place of a tensor, shortly. */
export const spoken = (value: unknown): string =>
  Array.isArray(value)
    ? 'an array'
    : typeof value === 'string'
      ? `'${value}'`
      : ArrayBuffer.isView(value)
        ? `a ${value.constructor.name}`
        : typeof value === 'object' && value !== null && !(value instanceof Tensor)
          ? 'an object'
          : typeof value === 'function'
            ? 'a function'
            : String(value);

/** @throws DTypeError for what is no tensor. */
export function expectTensor(where: string, name: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  throw new DTypeError(
    `${where}: ${name} expects a tensor, got ${spoken(value)}. Make one with tensor(device, ...).`,
  );
}

/** @throws DTypeError for no object; NameError for a name that a call does not take; ValueError for a value it does not take. */
export function checkCall(
  where: string,
  takes: Readonly<Record<string, Option<unknown>>>,
  call: object,
): void {
  if (typeof call !== 'object' || call === null || Array.isArray(call))
    throw new DTypeError(
      `${where}: a call expects an object with any of ${Object.keys(takes).join(', ')} after its tensors, got ${spoken(call)}.`,
    );
  for (const [name, value] of Object.entries(call)) {
    if (!Object.hasOwn(takes, name)) {
      const known = Object.keys(takes);
      throw new NameError(
        `${where}: a call does not take "${name}".${didYouMean(name, known)} It takes ${known.join(', ')}.`,
      );
    }
    const { expects, accepts } = takes[name] as Option<unknown>;
    if (value !== undefined && !accepts(value))
      throw new ValueError(`${where}: "${name}" of a call expects ${expects}, got ${spoken(value)}.`);
  }
}
