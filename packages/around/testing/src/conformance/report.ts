// An account of a run, for people and for scripts that read its last line.

import type { Case } from './case.ts';
import type { Mismatch } from './compare.ts';
import type { Outcome } from './run.ts';

export interface Ran {
  readonly of: Case;
  readonly outcome: Outcome;
}

export const count = (ran: readonly Ran[], status: Outcome['status']): number =>
  ran.filter(({ outcome }) => outcome.status === status).length;

/** Each failing case, then what is unsupported grouped by reason, then `N passed, N failed, N unsupported`. */
export function report(ran: readonly Ran[]): string {
  const failures = ran.flatMap(({ of, outcome }) =>
    outcome.status === 'failed' ? [failure(of, outcome)] : [],
  );
  const reasons = new Map<string, string[]>();
  for (const { of, outcome } of ran) {
    if (outcome.status !== 'unsupported') continue;
    const ids = reasons.get(outcome.reason) ?? [];
    ids.push(of.id);
    reasons.set(outcome.reason, ids);
  }
  const groups = [...reasons].map(
    ([reason, ids]) => `unsupported (${ids.length}): ${reason}\n${ids.map((id) => `  ${id}`).join('\n')}`,
  );
  return [...failures, ...groups, lastLine(ran)].join('\n');
}

export const lastLine = (ran: readonly Ran[]): string =>
  `${count(ran, 'passed')} passed, ${count(ran, 'failed')} failed, ${count(ran, 'unsupported')} unsupported`;

/** A failing case as a person reads it. */
export function failure(of: Case, { mismatches, error }: Extract<Outcome, { status: 'failed' }>): string {
  const lines = [...(error ? [`  ${error.name}: ${error.message}`] : []), ...mismatches.map(line)];
  return `FAILED ${of.id} (${of.family})\n${lines.join('\n')}`;
}

const line = ({ tensor, at, expected, actual, difference, allowed, wrong, of }: Mismatch): string =>
  `  ${tensor} ${at}: expected ${expected}, got ${actual}: off by ${difference.toExponential(2)}, ` +
  `allowed ${allowed.toExponential(2)} (${wrong} of ${of} elements are wrong)`;
