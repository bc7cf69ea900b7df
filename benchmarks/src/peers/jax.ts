// @jax-js/jax on its WASM device, which has one thread in Node, or on WebGPU. Its functions consume their arguments; `.ref`
// keeps one.

import type { Arrays } from '../inputs.ts';
import { biasOf, swapMiddle, swapped } from '../layout.ts';
import { type AttentionTask, inputsOf, type LayerTask, leavesOf, type Task, WINDOW } from '../task.ts';
import { Cannot, type Peer, peerPackage, versionOf, type Way } from './peer.ts';

type JaxDevice = 'wasm' | 'webgpu';
interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  mul(other: JaxArray | number): JaxArray;
  add(other: JaxArray): JaxArray;
  reshape(shape: number[]): JaxArray;
  data(): Promise<Float32Array>;
  blockUntilReady(): Promise<JaxArray>;
  dispose(): void;
}
type Compute = (...given: JaxArray[]) => JaxArray;
type ComputeAll = (...given: JaxArray[]) => JaxArray[];
interface AttentionOptions {
  readonly isCausal?: boolean;
  readonly localWindowSize?: [number, number];
  readonly bias?: JaxArray;
}
interface Jax {
  init(device: JaxDevice): Promise<readonly string[]>;
  defaultDevice(device: JaxDevice): void;
  jit<F>(compute: F): F & { dispose(): void };
  grad(compute: Compute, options: { argnums: number[] }): ComputeAll;
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    einsum(formula: string, ...operands: JaxArray[]): JaxArray;
    expandDims(a: JaxArray, axis: number): JaxArray;
    tanh(a: JaxArray): JaxArray;
    sum(a: JaxArray): JaxArray;
  };
  readonly nn: {
    softmax(a: JaxArray, axis?: number): JaxArray;
    dotProductAttention(query: JaxArray, key: JaxArray, value: JaxArray, options: AttentionOptions): JaxArray;
  };
}

const NAME = '@jax-js/jax';

export async function openJax(device: JaxDevice): Promise<Peer> {
  const jax = peerPackage<Jax>(NAME);
  if (!(await jax.init(device)).includes(device)) throw new Cannot(`finds no device "${device}" here`);
  jax.defaultDevice(device);
  return {
    about: `${versionOf(NAME)}${device === 'wasm' ? ', one thread' : ''}`,
    ways: async (task, arrays) => waysOf(jax, task, arrays),
  };
}

function waysOf(jax: Jax, task: Task, arrays: Arrays): Way[] {
  const byHeads = task.op === 'attention' && task.score === 'scaled-dot';
  const names = Object.keys(inputsOf(task));
  // Heads come after positions here: [batch, length, head, feature].
  const given = Object.entries(inputsOf(task)).map(([name, { shape }]) => {
    const data = arrays[name] as Float32Array;
    return byHeads
      ? jax.numpy.array(swapMiddle(data, shape), { shape: swapped(shape) })
      : jax.numpy.array(data, { shape });
  });
  const extra =
    task.op === 'attention' && task.modifier === 'alibi' ? biasOf({ ...task, mask: 'none' }) : null;
  if (extra) given.push(jax.numpy.array(extra.data, { shape: extra.shape }));
  const compute = computeOf(jax, task, [...names, 'bias']);
  const all: ComputeAll =
    task.op === 'attention' && task.gradient
      ? jax.grad((...each) => jax.numpy.sum(compute(...each.slice(0, -1)).mul(each.at(-1) as JaxArray)), {
          argnums: leavesOf(task).map((name) => names.indexOf(name)),
        })
      : (...each) => [compute(...each)];
  const jitted = jax.jit(all);
  const way = (name: string, run: ComputeAll): Way => {
    const once = () => run(...given.map((one) => one.ref));
    return {
      name,
      run: async () => {
        for (const result of once()) (await result.blockUntilReady()).dispose();
      },
      results: async () => {
        const numbers: Float32Array[] = [];
        for (const result of once()) {
          const { shape } = result;
          const data = await result.data();
          numbers.push(byHeads ? swapMiddle(data, shape) : data);
        }
        return numbers;
      },
    };
  };
  return [way('eager', all), { ...way('jit', jitted), release: () => jitted.dispose() }];
}

function computeOf(jax: Jax, task: Task, names: readonly string[]): Compute {
  const { numpy: np } = jax;
  if (task.op === 'matmul') return (left, right) => np.matmul(left as JaxArray, right as JaxArray);
  if (task.op === 'layer') return layer(jax, task);
  if (task.score === 'additive') return additive(jax);
  if (task.score !== 'scaled-dot' || task.modifier === 'softcap' || task.storage !== 'float32') {
    throw new Cannot('dotProductAttention has no such score or modifier');
  }
  return (query, key, value, ...rest) => {
    const bias = rest[names.indexOf('bias') - 3];
    return jax.nn.dotProductAttention(
      query as JaxArray,
      key as JaxArray,
      value as JaxArray,
      optionsOf(task, bias),
    );
  };
}

const optionsOf = ({ mask }: AttentionTask, bias: JaxArray | undefined): AttentionOptions => ({
  ...(mask === 'causal' ? { isCausal: true } : {}),
  ...(mask === 'window' ? { localWindowSize: [WINDOW - 1, 0] } : {}),
  ...(bias ? { bias } : {}),
});

/** [batch, 1, length, feature] throughout, so that one head needs no transposes. */
function additive({ numpy: np, nn }: Jax): Compute {
  return (...given) => {
    const [query, key, value, vector] = given as [JaxArray, JaxArray, JaxArray, JaxArray];
    const [batch = 1, , queries = 1, feature = 1] = query.shape;
    const keys = key.shape[2] ?? 1;
    const [q, k, v] = [
      query.reshape([batch, queries, 1, feature]),
      key.reshape([batch, 1, keys, feature]),
      value,
    ];
    const hidden = np.tanh(q.add(k));
    const weights = nn.softmax(np.einsum('bijd,d->bij', hidden, vector), -1);
    const context = np.einsum('bij,bjd->bid', weights, v.reshape([batch, keys, feature]));
    return context.reshape([batch, 1, queries, feature]);
  };
}

function layer({ numpy: np, nn }: Jax, { length, model, heads }: LayerTask): Compute {
  return (...given) => {
    const [x, toQuery, toKey, toValue, toOut] = given as [JaxArray, JaxArray, JaxArray, JaxArray, JaxArray];
    const byHead = (weight: JaxArray) => np.matmul(x.ref, weight).reshape([1, length, heads, model / heads]);
    const [q, k, v] = [byHead(toQuery), byHead(toKey), byHead(toValue)];
    const context = nn.dotProductAttention(q, k, v, {}).reshape([1, length, model]);
    x.dispose();
    return np.matmul(context, toOut);
  };
}
