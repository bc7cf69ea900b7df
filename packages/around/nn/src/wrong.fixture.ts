// For tests of what people are told.

/** What is thrown, as a person reads it. */
export function message(run: () => unknown): string {
  try {
    run();
  } catch (problem) {
    return `${(problem as Error).name}: ${(problem as Error).message}`;
  }
  return 'no error';
}

/** A value that a test gives although it would not compile. */
// biome-ignore lint/suspicious/noExplicitAny: that is what it is for
export const wrong = (value: unknown): any => value;
