// Whether the results of a system are right.

import { load } from './inputs.ts';
import type { PreparedWay } from './protocol.ts';
import type { Truth } from './truth.ts';

export interface Agreement {
  /** The largest difference from float64, over all results that are known. */
  readonly difference: number;
  /** Why the results do not agree; undefined where they do. */
  readonly complaint?: string;
}

/**
 * Compares what a system computed with what is right: as many roundings of float32 as one sum may take, all in one
 * direction, at the size of the largest number of that result.
 */
export function agreement(truth: Truth, { name, files, failed }: PreparedWay): Agreement {
  if (failed !== undefined) return { difference: Number.NaN, complaint: `${name}: ${failed}` };
  const results = files.map(load);
  let difference = 0;
  for (const { result, from, values } of truth.known) {
    const got = results[result];
    if (!got || got.length < from + values.length) {
      return { difference: Number.NaN, complaint: `${name}: result ${result} is missing or too short` };
    }
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const allowed = truth.roundings * 2 ** -24 * largest;
    let here = 0;
    for (let i = 0; i < values.length; i++) {
      const off = Math.abs((got[from + i] as number) - (values[i] as number));
      here = off > here || Number.isNaN(off) ? off : here;
    }
    difference = Math.max(difference, here);
    if (!(here <= allowed)) {
      return {
        difference,
        complaint: `${name}: differs from float64 by ${here.toExponential(1)}, where ${allowed.toExponential(1)} is rounding`,
      };
    }
  }
  return { difference };
}
