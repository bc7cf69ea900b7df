// The laws of scores.

import type { Score } from '@heed/attention';
import { differentiates, flowsBack } from './gradient.ts';
import { groups, permutes, separates } from './independence.ts';
import { type Runner, register } from './law.ts';
import { type LawOptions, settle } from './options.ts';
import { plainSoftmax } from './plain.ts';
import type { Subject } from './subject.ts';
import { agrees, prints, staged } from './value.ts';

/** A part, or the factory that makes it without options. */
export type Given<P> = P | (() => P);

export const made = <P extends object>(given: Given<P>): P =>
  typeof given === 'function' ? (given as () => P)() : given;

/**
 * Tests a score: its value pair by pair, staging, gradients of queries, keys, values, parameters and side inputs, and
 * that it minds nothing it does not read.
 *
 * @example scoreLaws(hyperbolic(), { describe, it });
 */
export function scoreLaws(given: Given<Score>, runner: Runner, options: LawOptions = {}): void {
  const score = made(given);
  const subject: Subject = {
    options: { score, normalizer: plainSoftmax() },
    roots: { score: score.body },
    settings: settle(options),
  };
  const laws = [
    agrees(subject, ['scores', 'weights', 'context', 'level']),
    staged(subject),
    differentiates(subject),
    flowsBack(subject),
    prints(subject),
    permutes(subject),
    separates(subject, 'batch'),
    separates(subject, 'head'),
    groups(subject),
  ];
  register(`score ${score.label}`, runner, laws, options.skip);
}
