// The tasks as ONNX graphs: with onnxruntime's operators for attention where they say it, and spelled out.

import type { Arrays } from '../inputs.ts';
import { biasOf, swapMiddle } from '../layout.ts';
import {
  type AttentionTask,
  CAP,
  inputsOf,
  type LayerTask,
  type MatmulTask,
  type Task,
  WINDOW,
} from '../task.ts';
import type { Graph, Node } from './onnx-model.ts';
import { Cannot } from './peer.ts';

export interface OrtWay {
  readonly name: string;
  readonly graph: Graph;
  /** What is fed, by name. */
  readonly feeds: Arrays;
  /** From what comes out to [batch, head, length, feature]. */
  readonly canonical: (out: Float32Array) => Float32Array;
}

export function graphsOf(task: Task, arrays: Arrays): readonly OrtWay[] {
  if (task.op === 'matmul') return [product(task, arrays)];
  if (task.op === 'layer') return [layer(task, arrays)];
  if (task.gradient) throw new Cannot('has no gradients');
  if (task.storage !== 'float32') throw new Cannot(`is not asked for a cache of ${task.storage}`);
  if (task.score === 'additive') return [additive(task, arrays)];
  if (task.score !== 'scaled-dot') throw new Cannot('is not asked for this score');
  return task.modifier === 'softcap'
    ? [standard(task, arrays), spelledOut(task, arrays)]
    : [standard(task, arrays), multiHead(task, arrays), spelledOut(task, arrays)];
}

const same = (out: Float32Array): Float32Array => out;
const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Node['attributes'] = {},
): Node => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const scalar = (value: number) => ({ shape: [], data: new Float32Array([value]) });
const integers = (...values: number[]) => ({
  shape: [values.length],
  data: BigInt64Array.from(values, (value) => BigInt(value)),
});
const shapesOf = (task: Task) =>
  Object.fromEntries(Object.entries(inputsOf(task)).map(([name, { shape }]) => [name, shape]));
const contextOf = ({ shape: { batch, heads, queries, feature } }: AttentionTask) => ({
  name: 'context',
  shape: [batch, heads, queries, feature],
});

/** What is added to the scores; causal masks too, unless the operator has an attribute for them. */
function withBias(task: AttentionTask, arrays: Arrays, causalIsKnown: boolean) {
  const bias = biasOf(task.mask === 'causal' && causalIsKnown ? { ...task, mask: 'none' } : task);
  return {
    name: bias ? 'bias' : '',
    shapes: { ...shapesOf(task), ...(bias ? { bias: bias.shape } : {}) },
    feeds: { ...arrays, ...(bias ? { bias: bias.data } : {}) },
  };
}

/** ONNX's own operator, of opset 23. */
function standard(task: AttentionTask, arrays: Arrays): OrtWay {
  const { name, shapes, feeds } = withBias(task, arrays, true);
  const attributes = {
    scale: 1 / Math.sqrt(task.shape.feature),
    is_causal: { integer: task.mask === 'causal' ? 1 : 0 },
    ...(task.modifier === 'softcap' ? { softcap: CAP } : {}),
  };
  return {
    name: 'Attention',
    graph: {
      nodes: [node('Attention', ['query', 'key', 'value', ...(name ? [name] : [])], 'context', attributes)],
      inputs: shapes,
      output: contextOf(task),
    },
    feeds,
    canonical: same,
  };
}

/** onnxruntime's fused operator; rows are [batch, length, heads * feature]. */
function multiHead(task: AttentionTask, arrays: Arrays): OrtWay {
  const { batch, heads, queries, keys, feature } = task.shape;
  const { name, shapes, feeds } = withBias(task, arrays, true);
  const joined = (data: Float32Array | undefined, length: number) =>
    swapMiddle(data as Float32Array, [batch, heads, length, feature]);
  const ofKeys = [batch, keys, heads * feature];
  const ofQueries = [batch, queries, heads * feature];
  return {
    name: 'MultiHeadAttention',
    graph: {
      nodes: [
        {
          op: 'MultiHeadAttention',
          domain: 'com.microsoft',
          inputs: ['query', 'key', 'value', ...(name ? ['', '', name] : [])],
          outputs: ['context'],
          attributes: {
            num_heads: { integer: heads },
            scale: 1 / Math.sqrt(feature),
            ...(task.mask === 'causal' ? { unidirectional: { integer: 1 } } : {}),
          },
        },
      ],
      inputs: { ...shapes, query: ofQueries, key: ofKeys, value: ofKeys },
      output: { name: 'context', shape: ofQueries },
    },
    feeds: {
      ...feeds,
      query: joined(arrays.query, queries),
      key: joined(arrays.key, keys),
      value: joined(arrays.value, keys),
    },
    canonical: (out) => swapMiddle(out, [batch, queries, heads, feature]),
  };
}

/**
 * onnxruntime's operator for decoders, which knows windows: causal scaled products of a sequence with itself. None for other
 * tasks.
 */
export function groupQuery(task: Task, arrays: Arrays): readonly OrtWay[] {
  if (task.op !== 'attention' || task.gradient || task.modifier !== 'none' || task.mask === 'none') return [];
  if (task.score !== 'scaled-dot' || task.storage !== 'float32') return [];
  const { batch, heads, keys, feature } = task.shape;
  const rows = [batch, keys, heads * feature];
  const cache = [batch, heads, keys, feature];
  const joined = (data: Float32Array | undefined) => swapMiddle(data as Float32Array, cache);
  return [
    {
      name: 'GroupQueryAttention',
      graph: {
        nodes: [
          {
            op: 'GroupQueryAttention',
            domain: 'com.microsoft',
            inputs: ['query', 'key', 'value', '', '', 'last', 'length'],
            outputs: ['context', 'presentKey', 'presentValue'],
            attributes: {
              num_heads: { integer: heads },
              kv_num_heads: { integer: heads },
              scale: 1 / Math.sqrt(feature),
              ...(task.mask === 'window' ? { local_window_size: { integer: WINDOW } } : {}),
            },
          },
        ],
        inputs: { query: rows, key: rows, value: rows },
        constants: {
          last: { shape: [batch], data: new Int32Array(batch).fill(keys - 1) },
          length: { shape: [1], data: Int32Array.of(keys) },
        },
        output: { name: 'context', shape: rows },
        more: [
          { name: 'presentKey', shape: cache },
          { name: 'presentValue', shape: cache },
        ],
      },
      feeds: { query: joined(arrays.query), key: joined(arrays.key), value: joined(arrays.value) },
      canonical: (out) => swapMiddle(out, [batch, keys, heads, feature]),
    },
  ];
}

/** Two products around a softmax. */
function spelledOut(task: AttentionTask, arrays: Arrays): OrtWay {
  const { name, shapes, feeds } = withBias(task, arrays, false);
  const nodes = [
    node('Transpose', ['key'], 'keyColumns', { perm: [0, 1, 3, 2] }),
    node('MatMul', ['query', 'keyColumns'], 'products'),
    node('Mul', ['products', 'scale'], 'scores0'),
  ];
  let scores = 'scores0';
  const then = (...added: Node[]) => {
    nodes.push(...added);
    scores = added.at(-1)?.outputs[0] as string;
  };
  if (task.modifier === 'softcap') {
    then(
      node('Div', [scores, 'cap'], 'inCaps'),
      node('Tanh', ['inCaps'], 'bent'),
      node('Mul', ['bent', 'cap'], 'capped'),
    );
  }
  if (name) then(node('Add', [scores, name], 'biased'));
  then(node('Softmax', [scores], 'weights', { axis: { integer: -1 } }));
  nodes.push(node('MatMul', ['weights', 'value'], 'context'));
  return {
    name: 'MatMul and Softmax',
    graph: {
      nodes,
      inputs: shapes,
      constants: {
        scale: scalar(1 / Math.sqrt(task.shape.feature)),
        ...(task.modifier === 'softcap' ? { cap: scalar(CAP) } : {}),
      },
      output: contextOf(task),
    },
    feeds,
    canonical: same,
  };
}

/** tanh of all sums, [batch, head, query, key, feature]: there is no operator for it. */
function additive(task: AttentionTask, { vector, ...feeds }: Arrays): OrtWay {
  const { vector: _, ...inputs } = shapesOf(task);
  return {
    name: 'Add, Tanh, MatMul',
    graph: {
      nodes: [
        node('Unsqueeze', ['query', 'axisOfKeys'], 'queries'),
        node('Unsqueeze', ['key', 'axisOfQueries'], 'keys'),
        node('Add', ['queries', 'keys'], 'sums'),
        node('Tanh', ['sums'], 'hidden'),
        node('MatMul', ['hidden', 'vector'], 'column'),
        node('Squeeze', ['column', 'lastAxis'], 'scores'),
        node('Softmax', ['scores'], 'weights', { axis: { integer: -1 } }),
        node('MatMul', ['weights', 'value'], 'context'),
      ],
      inputs,
      constants: {
        axisOfKeys: integers(3),
        axisOfQueries: integers(2),
        lastAxis: integers(-1),
        vector: { shape: [task.shape.feature, 1], data: vector as Float32Array },
      },
      output: contextOf(task),
    },
    feeds,
    canonical: same,
  };
}

const product = ({ size }: MatmulTask, feeds: Arrays): OrtWay => ({
  name: 'MatMul',
  graph: {
    nodes: [node('MatMul', ['left', 'right'], 'out')],
    inputs: { left: [size, size], right: [size, size] },
    output: { name: 'out', shape: [size, size] },
  },
  feeds,
  canonical: same,
});

/** The weights are part of the model, so that onnxruntime may rearrange them ahead. */
function layer({ length, model, heads }: LayerTask, { x, ...weights }: Arrays): OrtWay {
  const rows = [1, length, model];
  return {
    name: 'MatMul and MultiHeadAttention',
    graph: {
      nodes: [
        node('MatMul', ['x', 'toQuery'], 'query'),
        node('MatMul', ['x', 'toKey'], 'key'),
        node('MatMul', ['x', 'toValue'], 'value'),
        {
          op: 'MultiHeadAttention',
          domain: 'com.microsoft',
          inputs: ['query', 'key', 'value'],
          outputs: ['context'],
          attributes: { num_heads: { integer: heads } },
        },
        node('MatMul', ['context', 'toOut'], 'out'),
      ],
      inputs: { x: rows },
      constants: Object.fromEntries(
        Object.entries(weights).map(([name, data]) => [name, { shape: [model, model], data }]),
      ),
      output: { name: 'out', shape: rows },
    },
    feeds: { x: x as Float32Array },
    canonical: same,
  };
}
