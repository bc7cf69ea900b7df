// A runner that reports instead of testing: which laws hold, and what those that do not hold say.

import type { Runner } from './law.ts';

/** The message of each law that does not hold, by name; null for one that does. */
export type Verdicts = Readonly<Record<string, string | null>>;

export async function verdictsOf(
  laws: (runner: Runner) => void,
  only: readonly string[] = [],
): Promise<Verdicts> {
  const tests: (readonly [string, () => void | Promise<void>])[] = [];
  laws({ describe: (_, body) => body(), it: (name, body) => tests.push([name, body]) });
  const verdicts: Record<string, string | null> = {};
  for (const [name, body] of tests) {
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    verdicts[name] = await Promise.resolve()
      .then(body)
      .then(
        () => null,
        (problem: Error) => reason(problem),
      );
  }
  return verdicts;
}

/** fast-check keeps what went wrong as the cause. */
const reason = (problem: Error): string =>
  problem.cause instanceof Error ? `${problem.message}\n${problem.cause.message}` : problem.message;

export const broken = (verdicts: Verdicts): string[] =>
  Object.entries(verdicts).flatMap(([name, message]) => (message === null ? [] : [name]));
