// What a law is tried on: a part among plain ones.

import { type AttentionOptions, compose, type Spec } from '@heed/attention';
import { type Expr, inputsOf } from '@heed/expr';
import type { Scene } from '../scene/scene.ts';
import type { Settings } from './options.ts';

/** What a law is tried on. */
export interface Subject {
  readonly options: AttentionOptions;
  /** The expressions of the part itself. */
  readonly roots: Readonly<Record<string, Expr>>;
  readonly settings: Settings;
}

export const specOf = ({ options }: Subject): Spec => compose(options, false);

/** The names that the part's own expressions read. */
const reads = ({ roots }: Subject): ReadonlySet<string> =>
  new Set(Object.values(roots).flatMap((root) => inputsOf([root]).map(({ data }) => data.name)));

/** Why a law about an axis says nothing of a part that reads positions along it. */
export const besideIfReads = (subject: Subject, names: readonly string[]): string | null => {
  const found = names.filter((name) => reads(subject).has(name));
  return found.length > 0 ? `the formula reads ${found.join(', ')}` : null;
};

/** The shape of a result. */
export function shapeOf(
  what: 'scores' | 'weights' | 'context' | 'level',
  { lengths, sizes }: Scene,
): number[] {
  const rows = [lengths.batch, lengths.head, lengths.query];
  if (what === 'level') return rows;
  return [...rows, what === 'context' ? (sizes.valueFeature as number) : lengths.key];
}
