// What is computed, as data: every system, the check in float64 and the Python side read the same description.

/** How many of what: `heads` share a batch row, `feature` is the width of queries, keys and values. */
export interface Shape {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly feature: number;
}

export interface AttentionTask {
  readonly op: 'attention';
  readonly shape: Shape;
  /**
   * - scaled-dot   q . k / sqrt(feature)
   * - additive     vector . tanh(q + k), the rows given projected, as Keras's AdditiveAttention has it
   * - general      q . (matrix k)
   * - cosine       q . k / (|q| |k|)
   * - gaussian     -|q - k|^2 / 2
   */
  readonly score: 'scaled-dot' | 'additive' | 'general' | 'cosine' | 'gaussian';
  /** `window` is causal: the query's own key and the 255 before it. */
  readonly mask: 'none' | 'causal' | 'window';
  /** Softcap at 20; ALiBi with signed distances and the paper's slopes. */
  readonly modifier: 'none' | 'softcap' | 'alibi';
  /** Forward, then backward from a given upstream gradient, to every float tensor that goes in. */
  readonly gradient: boolean;
  /** How keys and values are stored. */
  readonly storage: 'float32' | 'bfloat16' | 'int8';
}

/** left @ right, both [size, size]. */
export interface MatmulTask {
  readonly op: 'matmul';
  readonly size: number;
}

/** x [1, length, model] projected to queries, keys and values, attended with by heads, and projected once more. */
export interface LayerTask {
  readonly op: 'layer';
  readonly length: number;
  readonly model: number;
  readonly heads: number;
}

export type Task = AttentionTask | MatmulTask | LayerTask;

export const WINDOW = 256;
export const CAP = 20;
/** What one step of the int8 cache is worth. */
export const STEP = 1 / 32;

export const slope = (head: number, heads: number): number => 2 ** ((-8 * (head + 1)) / heads);

/** Whether query `i` may attend to key `j`. */
export function allows({ mask }: AttentionTask, i: number, j: number): boolean {
  if (mask === 'none') return true;
  return j <= i && (mask === 'causal' || j > i - WINDOW);
}

/** One tensor that goes in. */
export interface Drawn {
  readonly shape: readonly number[];
  /** The standard deviation of its numbers, which are normal. */
  readonly deviation: number;
  readonly storage: AttentionTask['storage'];
}

/** The tensors that go in, by name, row-major. */
export function inputsOf(task: Task): Readonly<Record<string, Drawn>> {
  const drawn = (shape: readonly number[], deviation = 1, storage: Drawn['storage'] = 'float32'): Drawn => ({
    shape,
    deviation,
    storage,
  });
  if (task.op === 'matmul') {
    const { size } = task;
    return { left: drawn([size, size]), right: drawn([size, size]) };
  }
  if (task.op === 'layer') {
    const { length, model } = task;
    const weight = drawn([model, model], 1 / Math.sqrt(model));
    return { x: drawn([1, length, model]), toQuery: weight, toKey: weight, toValue: weight, toOut: weight };
  }
  const { batch, heads, queries, keys, feature } = task.shape;
  const ofKeys = drawn([batch, heads, keys, feature], 1, task.storage);
  return {
    query: drawn([batch, heads, queries, feature]),
    key: ofKeys,
    value: ofKeys,
    ...(task.score === 'additive' ? { vector: drawn([feature], 1 / Math.sqrt(feature)) } : {}),
    ...(task.score === 'general' ? { matrix: drawn([feature, feature], 1 / Math.sqrt(feature)) } : {}),
    ...(task.gradient ? { upstream: drawn([batch, heads, queries, feature]) } : {}),
  };
}

/** The inputs that a gradient is taken by, in the order in which the gradients come out. */
export const leavesOf = (task: AttentionTask): readonly string[] =>
  Object.keys(inputsOf(task)).filter((name) => name !== 'upstream');
