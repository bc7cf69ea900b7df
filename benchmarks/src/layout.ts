// Two ways to lay heads out, [batch, head, length, feature] and [batch, length, head, feature], and scores by position.

import { type AttentionTask, allows, slope } from './task.ts';

/** Swaps the two middle axes of `data`, which is [a, b, c, d]: gives [a, c, b, d]. */
export function swapMiddle(data: Float32Array, shape: readonly number[]): Float32Array {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  const out = new Float32Array(data.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++) {
        const from = ((i * b + j) * c + k) * d;
        out.set(data.subarray(from, from + d), ((i * c + k) * b + j) * d);
      }
  return out;
}

export const swapped = ([a = 1, b = 1, c = 1, d = 1]: readonly number[]): readonly number[] => [a, c, b, d];

/** Mask and ALiBi as peers without either take them: numbers added to the scores, [1, heads or 1, queries, keys]. */
export function biasOf(
  task: AttentionTask,
): { readonly data: Float32Array; readonly shape: number[] } | null {
  const { heads, queries, keys } = task.shape;
  if (task.mask === 'none' && task.modifier !== 'alibi') return null;
  const shape = [1, task.modifier === 'alibi' ? heads : 1, queries, keys];
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let at = 0;
  for (let h = 0; h < (shape[1] as number); h++) {
    const per = task.modifier === 'alibi' ? slope(h, heads) : 0;
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) data[at++] = allows(task, i, j) ? per * (j - i) : -1e30;
  }
  return { data, shape };
}
