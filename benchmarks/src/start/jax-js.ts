// From nothing to the first result, jax-js.

import { peerPackage } from '../peers/peer.ts';
import { numbers } from './numbers.ts';

interface Jax {
  init(device: 'wasm'): Promise<unknown>;
  defaultDevice(device: 'wasm'): void;
  readonly numpy: { array(data: Float32Array, options: { shape: readonly number[] }): unknown };
  readonly nn: {
    dotProductAttention(query: unknown, key: unknown, value: unknown): { data(): Promise<Float32Array> };
  };
}

const jax = peerPackage<Jax>('@jax-js/jax');
await jax.init('wasm');
jax.defaultDevice('wasm');
const given = (seed: number) => jax.numpy.array(numbers(seed), { shape: [1, 128, 8, 64] });
const context = await jax.nn.dotProductAttention(given(1), given(2), given(3)).data();
console.log(`done ${context[0]}`);
process.exit(0);
