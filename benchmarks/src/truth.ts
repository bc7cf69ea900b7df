// What is right, in float64 and the plainest way, for a sample of the results: whole rows, and for gradients all of
// the first head. A system is timed only where its results agree with this.

import type { Arrays } from './inputs.ts';
import { type AttentionTask, allows, CAP, type LayerTask, leavesOf, slope, type Task } from './task.ts';

/** A stretch of one result that is known. */
export interface Known {
  /** Which result, in the order in which they come out. */
  readonly result: number;
  readonly from: number;
  readonly values: Float64Array;
}

export interface Truth {
  readonly known: readonly Known[];
  /** How many roundings may add up in one element: the terms of the longest sums, one after the other. */
  readonly roundings: number;
}

export function truthOf(task: Task, arrays: Arrays): Truth {
  if (task.op === 'matmul') return { known: productRows(task.size, arrays), roundings: task.size };
  if (task.op === 'layer') return { known: layerRows(task, arrays), roundings: 3 * task.model + task.length };
  const { queries, keys, feature } = task.shape;
  return task.gradient
    ? { known: firstHead(task, arrays), roundings: 2 * feature + keys + queries }
    : { known: sampledRows(task, arrays), roundings: feature + keys };
}

/** Some positions of `length`, the first and the last among them. */
function sample(length: number, most: number): readonly number[] {
  const count = Math.min(length, most);
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / Math.max(1, count - 1)));
}

const rowOf = (data: Float32Array, row: number, width: number): Float32Array =>
  data.subarray(row * width, (row + 1) * width);

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] as number) * (b[i] as number);
  return total;
}

/** rows of `x` times a matrix [width, columns]. */
function times(x: ArrayLike<number>, matrix: Float32Array, columns: number): Float64Array {
  const out = new Float64Array(columns);
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < columns; j++)
      out[j] = (out[j] as number) + (x[i] as number) * (matrix[i * columns + j] as number);
  return out;
}

function productRows(size: number, { left, right }: Arrays): Known[] {
  return sample(size, 8).map((row) => ({
    result: 0,
    from: row * size,
    values: times(rowOf(left as Float32Array, row, size), right as Float32Array, size),
  }));
}

/** The score of a pair, before masks; both rows are of one head. */
function scorer(task: AttentionTask, arrays: Arrays) {
  const { feature, heads } = task.shape;
  const { vector, matrix } = arrays;
  const raw = (q: ArrayLike<number>, k: ArrayLike<number>): number => {
    if (task.score === 'scaled-dot') return dot(q, k) / Math.sqrt(feature);
    if (task.score === 'cosine') return dot(q, k) / Math.sqrt(dot(q, q) * dot(k, k));
    let total = 0;
    for (let d = 0; d < feature; d++) {
      const [a, b] = [q[d] as number, k[d] as number];
      if (task.score === 'gaussian') total -= (a - b) ** 2 / 2;
      else if (task.score === 'additive') total += (vector?.[d] as number) * Math.tanh(a + b);
      else total += a * dot(k, rowOf(matrix as Float32Array, d, feature));
    }
    return total;
  };
  return (q: ArrayLike<number>, k: ArrayLike<number>, head: number, i: number, j: number): number => {
    const score = raw(q, k);
    if (task.modifier === 'softcap') return CAP * Math.tanh(score / CAP);
    return task.modifier === 'alibi' ? score - slope(head, heads) * (i - j) : score;
  };
}

/** Softmax over the allowed keys of query `i`; zero elsewhere. */
function weigh(keys: number, allowed: (j: number) => boolean, score: (j: number) => number): Float64Array {
  const weights = new Float64Array(keys).fill(Number.NEGATIVE_INFINITY);
  for (let j = 0; j < keys; j++) if (allowed(j)) weights[j] = score(j);
  const most = weights.reduce((a, b) => Math.max(a, b));
  let total = 0;
  for (let j = 0; j < keys; j++) total += weights[j] = Math.exp((weights[j] as number) - most);
  return weights.map((weight) => weight / total);
}

function average(weights: Float64Array, values: Float32Array, width: number): Float64Array {
  const out = new Float64Array(width);
  for (let j = 0; j < weights.length; j++) {
    const weight = weights[j] as number;
    if (weight === 0) continue;
    for (let d = 0; d < width; d++) out[d] = (out[d] as number) + weight * (values[j * width + d] as number);
  }
  return out;
}

function sampledRows(task: AttentionTask, arrays: Arrays): Known[] {
  const { batch, heads, queries, keys, feature } = task.shape;
  const { query, key, value } = arrays as Record<'query' | 'key' | 'value', Float32Array>;
  const score = scorer(task, arrays);
  return sample(batch * heads, 2).flatMap((group) => {
    const k = rowOf(key, group, keys * feature);
    const v = rowOf(value, group, keys * feature);
    return sample(queries, 8).map((i) => {
      const row = group * queries + i;
      const q = rowOf(query, row, feature);
      const weights = weigh(
        keys,
        (j) => allows(task, i, j),
        (j) => score(q, rowOf(k, j, feature), group % heads, i, j),
      );
      return { result: 0, from: row * feature, values: average(weights, v, feature) };
    });
  });
}

/** The gradients of the first head; that of the vector is known only where there is no other. */
function firstHead(task: AttentionTask, arrays: Arrays): Known[] {
  const { batch, heads, queries, keys, feature } = task.shape;
  if (task.modifier !== 'none' || !['scaled-dot', 'additive'].includes(task.score)) {
    throw new Error(`no derivative is written down for ${task.score} with modifier ${task.modifier}`);
  }
  const { query, key, value, upstream, vector } = arrays as Record<string, Float32Array>;
  const score = scorer(task, arrays);
  const out = Object.fromEntries(
    leavesOf(task).map((name) => [
      name,
      new Float64Array(name === 'vector' ? feature : (name === 'query' ? queries : keys) * feature),
    ]),
  ) as Record<string, Float64Array>;
  const [dQuery, dKey, dValue, dVector] = [out.query, out.key, out.value, out.vector] as Float64Array[];
  for (let i = 0; i < queries; i++) {
    const q = rowOf(query as Float32Array, i, feature);
    const g = rowOf(upstream as Float32Array, i, feature);
    const k = (j: number) => rowOf(key as Float32Array, j, feature);
    const weights = weigh(
      keys,
      (j) => allows(task, i, j),
      (j) => score(q, k(j), 0, i, j),
    );
    const along = weights.map((weight, j) =>
      weight === 0 ? 0 : dot(g, rowOf(value as Float32Array, j, feature)),
    );
    const mean = dot(weights, along);
    for (let j = 0; j < keys; j++) {
      const weight = weights[j] as number;
      if (weight === 0) continue;
      const dScore = weight * ((along[j] as number) - mean);
      for (let d = 0; d < feature; d++) {
        const [at, to] = [i * feature + d, j * feature + d];
        const [a, b] = [q[d] as number, (key as Float32Array)[to] as number];
        (dValue as Float64Array)[to]! += weight * (g[d] as number);
        if (task.score === 'additive') {
          const tanh = Math.tanh(a + b);
          const through = dScore * (vector?.[d] as number) * (1 - tanh * tanh);
          (dQuery as Float64Array)[at]! += through;
          (dKey as Float64Array)[to]! += through;
          (dVector as Float64Array)[d]! += dScore * tanh;
        } else {
          (dQuery as Float64Array)[at]! += (dScore * b) / Math.sqrt(feature);
          (dKey as Float64Array)[to]! += (dScore * a) / Math.sqrt(feature);
        }
      }
    }
  }
  return leavesOf(task).flatMap((name, result) =>
    name === 'vector' && batch * heads > 1 ? [] : [{ result, from: 0, values: out[name] as Float64Array }],
  );
}

function layerRows(task: LayerTask, arrays: Arrays): Known[] {
  const { length, model, heads } = task;
  const { x, toQuery, toKey, toValue, toOut } = arrays as Record<string, Float32Array>;
  const project = (row: number, matrix: Float32Array | undefined) =>
    times(rowOf(x as Float32Array, row, model), matrix as Float32Array, model);
  const rows = Array.from({ length }, (_, row) => row);
  const [key, value] = [toKey, toValue].map((matrix) => rows.map((row) => project(row, matrix)));
  const feature = model / heads;
  return sample(length, 4).map((i) => {
    const q = project(i, toQuery);
    const joined = new Float64Array(model);
    for (let head = 0; head < heads; head++) {
      const part = (row: Float64Array) => row.subarray(head * feature, (head + 1) * feature);
      const weights = weigh(
        length,
        () => true,
        (j) => dot(part(q), part(key?.[j] as Float64Array)) / Math.sqrt(feature),
      );
      for (let j = 0; j < length; j++)
        for (let d = 0; d < feature; d++)
          joined[head * feature + d]! +=
            (weights[j] as number) * (part(value?.[j] as Float64Array)[d] as number);
    }
    return { result: 0, from: i * model, values: times(joined, toOut as Float32Array, model) };
  });
}
