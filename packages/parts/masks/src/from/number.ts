// What numbers of other conventions must be.

import { ValueError } from '@heed/tensor';

/** @throws ValueError unless it is a whole number of at least `least`. */
export function positive(where: string, what: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new ValueError(
    `${where}: ${what} expects a whole number of at least ${least}, got ${String(value)}.`,
  );
}
