// What a law is, and how a set of them becomes tests of any framework.

import { LawError } from '../assert.ts';

/** The two functions of a test framework that laws need: those of vitest, jest, node:test, mocha. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => void | Promise<void>) => unknown;
}

/** A law that is not to be run, and why. The reason is printed. */
export interface Skip {
  readonly law: string;
  readonly reason: string;
}

export interface Law {
  readonly name: string;
  /** @throws LawError where the law does not hold. */
  readonly check: () => Promise<void>;
  /** Why the law says nothing about this subject; null where it does. */
  readonly beside?: string | null;
}

/** Registers laws as tests. A skipped one is a test that says so. @throws LawError for a skip of no law. */
export function register(
  subject: string,
  runner: Runner,
  laws: readonly Law[],
  skips: readonly Skip[] = [],
): void {
  for (const { law, reason } of skips) {
    if (!laws.some(({ name }) => name === law)) {
      const known = laws.map(({ name }) => `  ${name}`).join('\n');
      throw new LawError(`${subject}: there is no law "${law}" to skip (${reason}). There are:\n${known}`);
    }
    if (reason.trim() === '') throw new LawError(`${subject}: the skip of "${law}" needs a reason.`);
  }
  runner.describe(subject, () => {
    for (const { name, check, beside = null } of laws) {
      const reason = skips.find(({ law }) => law === name)?.reason;
      if (reason !== undefined) {
        runner.it(`${name} (skipped: ${reason})`, () =>
          console.info(`skipped: ${subject}: ${name}: ${reason}`),
        );
      } else if (beside !== null) {
        runner.it(`${name} (does not apply: ${beside})`, () => undefined);
      } else {
        runner.it(name, check);
      }
    }
  });
}
