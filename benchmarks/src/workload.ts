// One row of the table.

import type { AttentionTask, Shape, Task } from './task.ts';

export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly task: Task;
  /** Floating-point operations that the result needs, products and sums; none where functions of calculus count more. */
  readonly work?: number;
  /** Why a system has no cell here: reasons that are known before it is asked. */
  readonly without?: Readonly<Record<string, string>>;
  /** Another row, whose task heed runs in turn with this one, to compare with itself. */
  readonly beside?: Workload;
}

const eight: Shape = { batch: 1, heads: 8, queries: 1024, keys: 1024, feature: 64 };

/** Eight heads of 64 features over `length` positions, softmax of scaled products, but for what is said otherwise. */
export function attentionOver(
  length: number,
  { shape, ...change }: Partial<Omit<AttentionTask, 'shape'>> & { readonly shape?: Partial<Shape> } = {},
): AttentionTask {
  return {
    op: 'attention',
    score: 'scaled-dot',
    mask: 'none',
    modifier: 'none',
    gradient: false,
    storage: 'float32',
    ...change,
    shape: { ...eight, queries: length, keys: length, ...shape },
  };
}

/** Two products of the feature's width for each pair that is allowed; five more when gradients recompute the scores. */
export function workOf({ shape, mask, gradient }: AttentionTask, pairs?: number): number {
  const { batch, heads, queries, keys, feature } = shape;
  const square = queries * keys;
  const each = pairs ?? (mask === 'causal' ? square / 2 : square);
  return (gradient ? 7 : 2) * 2 * batch * heads * each * feature;
}

/** What every system without masks of its own has in common. */
export const DENSE = 'computes all pairs and is not worth the time at this length';
/** For rows that ask how heed's scores compare with its own scaled dot product. */
export const alone = (names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, 'not asked: heed is compared with itself here']));
