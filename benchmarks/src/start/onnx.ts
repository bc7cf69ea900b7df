// From nothing to the first result, onnxruntime: a model of one operator, and one run.

import { model } from '../peers/onnx-model.ts';
import { peerPackage } from '../peers/peer.ts';
import { numbers } from './numbers.ts';

interface Ort {
  readonly Tensor: new (
    type: 'float32',
    data: Float32Array,
    shape: readonly number[],
  ) => { data: Float32Array };
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: Record<string, unknown>,
    ): Promise<{ run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>> }>;
  };
  readonly env: { readonly wasm: { numThreads?: number } };
}

export async function first(name: 'onnxruntime-node' | 'onnxruntime-web'): Promise<void> {
  const ort = peerPackage<Ort>(name);
  const web = name === 'onnxruntime-web';
  if (web) ort.env.wasm.numThreads = 1;
  const rows = [1, 128, 512];
  const bytes = model({
    nodes: [
      {
        op: 'MultiHeadAttention',
        domain: 'com.microsoft',
        inputs: ['query', 'key', 'value'],
        outputs: ['context'],
        attributes: { num_heads: { integer: 8 } },
      },
    ],
    inputs: { query: rows, key: rows, value: rows },
    output: { name: 'context', shape: rows },
  });
  const session = await ort.InferenceSession.create(
    bytes,
    web ? { executionProviders: ['wasm'] } : { intraOpNumThreads: 1 },
  );
  const given = (seed: number) => new ort.Tensor('float32', numbers(seed), rows);
  const { context } = await session.run({ query: given(1), key: given(2), value: given(3) });
  console.log(`done ${context?.data[0]}`);
  process.exit(0);
}
