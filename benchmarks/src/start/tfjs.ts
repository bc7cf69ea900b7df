// From nothing to the first result, tfjs: its core and the WASM backend alone, which starts faster than the whole.

import { dirname } from 'node:path';
import { peerFile, peerPackage } from '../peers/peer.ts';
import { numbers, shape } from './numbers.ts';

interface Tensor {
  data(): Promise<Float32Array>;
}
interface Tf {
  setBackend(name: 'wasm'): Promise<boolean>;
  tensor(data: Float32Array, shape: readonly number[]): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  mul(a: Tensor, b: number): Tensor;
  softmax(a: Tensor): Tensor;
}

const tf = peerPackage<Tf>('@tensorflow/tfjs-core');
const wasm = '@tensorflow/tfjs-backend-wasm';
peerPackage<{ setWasmPaths(folder: string): void }>(wasm).setWasmPaths(`${dirname(peerFile(wasm))}/`);
await tf.setBackend('wasm');
const [query, key, value] = [numbers(1), numbers(2), numbers(3)].map((data) => tf.tensor(data, shape));
const scores = tf.mul(tf.matMul(query!, key!, false, true), 1 / 8);
const context = await tf.matMul(tf.softmax(scores), value!).data();
console.log(`done ${context[0]}`);
process.exit(0);
