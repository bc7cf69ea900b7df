// @tensorflow/tfjs on its WASM backend, which has one thread in Node, or on its WebGPU backend.

import { dirname } from 'node:path';
import type { Arrays } from '../inputs.ts';
import { biasOf } from '../layout.ts';
import { CAP, inputsOf, type LayerTask, leavesOf, type Task } from '../task.ts';
import { Cannot, type Peer, peerFile, peerPackage, versionOf, type Way } from './peer.ts';

type TfBackend = 'wasm' | 'webgpu';
interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface Tf {
  setBackend(name: TfBackend): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy<T>(compute: () => T): T;
  grads(compute: (...given: TfTensor[]) => TfTensor): (given: TfTensor[], upstream: TfTensor) => TfTensor[];
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  tanh(a: TfTensor): TfTensor;
  softmax(a: TfTensor): TfTensor;
  reshape(a: TfTensor, shape: readonly number[]): TfTensor;
  transpose(a: TfTensor, order: readonly number[]): TfTensor;
  slice(a: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
}
interface TfWasm {
  setWasmPaths(folder: string): void;
}

const WASM = '@tensorflow/tfjs-backend-wasm';
const WEBGPU = '@tensorflow/tfjs-backend-webgpu';
/** Bytes of queries x keys beyond which a row is not worth the time, or the memory. */
const MOST: Readonly<Record<TfBackend, number>> = { wasm: 2 ** 28, webgpu: 2 ** 30 };

export async function openTfjs(backend: TfBackend): Promise<Peer> {
  const tf = peerPackage<Tf>('@tensorflow/tfjs');
  if (backend === 'wasm') peerPackage<TfWasm>(WASM).setWasmPaths(`${dirname(peerFile(WASM))}/`);
  else peerPackage(WEBGPU);
  if (!(await tf.setBackend(backend))) throw new Cannot(`its backend "${backend}" does not start`);
  await tf.ready();
  return {
    about: `${versionOf('@tensorflow/tfjs')}${backend === 'wasm' ? ', one thread' : ''}`,
    ways: async (task, arrays) => [wayOf(tf, task, arrays, MOST[backend])],
  };
}

function wayOf(tf: Tf, task: Task, arrays: Arrays, most: number): Way {
  const compute = computeOf(tf, task, most);
  const given = Object.fromEntries(
    Object.entries(inputsOf(task)).map(([name, { shape }]) => [
      name,
      tf.tensor(arrays[name] as Float32Array, shape),
    ]),
  );
  const bias = task.op === 'attention' ? biasOf(task) : null;
  if (bias) given.bias = tf.tensor(bias.data, bias.shape);
  const once = (): TfTensor[] =>
    tf.tidy(() => {
      if (!(task.op === 'attention' && task.gradient)) return [compute(given)];
      const names = leavesOf(task);
      const gradients = tf.grads((...each) =>
        compute({ ...given, ...Object.fromEntries(names.map((name, i) => [name, each[i] as TfTensor])) }),
      );
      return gradients(
        names.map((name) => given[name] as TfTensor),
        given.upstream as TfTensor,
      );
    });
  return {
    name: 'as written',
    run: async () => {
      for (const result of once()) {
        const first = tf.slice(tf.reshape(result, [-1]), [0], [1]);
        await first.data();
        first.dispose();
        result.dispose();
      }
    },
    results: async () => {
      const numbers: Float32Array[] = [];
      for (const result of once()) {
        numbers.push((await result.data()) as Float32Array);
        result.dispose();
      }
      return numbers;
    },
  };
}

type Compute = (given: Readonly<Record<string, TfTensor>>) => TfTensor;

function computeOf(tf: Tf, task: Task, most: number): Compute {
  if (task.op === 'matmul') return ({ left, right }) => tf.matMul(left as TfTensor, right as TfTensor);
  if (task.op === 'layer') return layer(tf, task);
  const { batch, heads, queries, keys, feature } = task.shape;
  if (batch * heads * queries * keys * 4 > most)
    throw new Cannot('its queries x keys tensors are too large to be worth a row');
  if (task.storage !== 'float32') throw new Cannot(`stores no ${task.storage}`);
  if (!['scaled-dot', 'additive'].includes(task.score)) throw new Cannot('is not asked for this score');
  return ({ query, key, value, vector, bias }) => {
    const [q, k, v] = [query, key, value] as [TfTensor, TfTensor, TfTensor];
    let scores: TfTensor;
    if (task.score === 'additive') {
      const sum = tf.add(
        tf.reshape(q, [batch * heads, queries, 1, feature]),
        tf.reshape(k, [batch * heads, 1, keys, feature]),
      );
      const hidden = tf.reshape(tf.tanh(sum), [-1, feature]);
      scores = tf.reshape(tf.matMul(hidden, tf.reshape(vector as TfTensor, [feature, 1])), [
        batch,
        heads,
        queries,
        keys,
      ]);
    } else scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(feature));
    if (task.modifier === 'softcap') scores = tf.mul(tf.tanh(tf.mul(scores, 1 / CAP)), CAP);
    if (bias) scores = tf.add(scores, bias);
    return tf.matMul(tf.softmax(scores), v);
  };
}

function layer(tf: Tf, { length, model, heads }: LayerTask): Compute {
  return ({ x, toQuery, toKey, toValue, toOut }) => {
    const rows = tf.reshape(x as TfTensor, [length, model]);
    const byHead = (weight: TfTensor | undefined) =>
      tf.transpose(
        tf.reshape(tf.matMul(rows, weight as TfTensor), [length, heads, model / heads]),
        [1, 0, 2],
      );
    const scores = tf.mul(
      tf.matMul(byHead(toQuery), byHead(toKey), false, true),
      1 / Math.sqrt(model / heads),
    );
    const context = tf.transpose(tf.matMul(tf.softmax(scores), byHead(toValue)), [1, 0, 2]);
    return tf.reshape(tf.matMul(tf.reshape(context, [length, model]), toOut as TfTensor), [1, length, model]);
  };
}
