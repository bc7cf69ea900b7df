// How much a page loads.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Size, type Sizes, sizesOf } from './bundle.ts';
import { peerFile } from './peers/peer.ts';

export interface SizeRow {
  readonly what: string;
  readonly script: Sizes;
  /** The WASM file that has to be hosted besides, where there is one. */
  readonly binary?: Size;
}

const binary = (path: string): Size => {
  const bytes = readFileSync(peerFile(path));
  return { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
};

export async function measureSizes(systems: readonly string[]): Promise<SizeRow[]> {
  const rows: SizeRow[] = [
    {
      what: 'heed: attention and cpu',
      script: await sizesOf(
        "export { attention } from '@heed/attention'; export { cpu } from '@heed/cpu';",
        'heed',
      ),
    },
    {
      what: 'heed: these, a device, tensors, one score, one mask, softmax',
      script: await sizesOf(
        `export { attention } from '@heed/attention'; export { cpu } from '@heed/cpu';
         export { openDevice, tensor } from '@heed/tensor'; export { scaledDot } from '@heed/scores';
         export { causal } from '@heed/masks'; export { softmax } from '@heed/normalizers';`,
        'heed',
      ),
    },
  ];
  if (systems.includes('onnxruntime-web'))
    rows.push({
      what: 'onnxruntime-web/wasm',
      script: await sizesOf("export { InferenceSession, Tensor } from 'onnxruntime-web/wasm';", 'peers'),
      binary: binary('onnxruntime-web/ort-wasm-simd-threaded.wasm'),
    });
  if (systems.includes('jax-js'))
    rows.push({
      what: '@jax-js/jax: dotProductAttention',
      script: await sizesOf(
        "import { init, defaultDevice, nn, numpy } from '@jax-js/jax'; export const attend = nn.dotProductAttention; export const array = numpy.array; export { init, defaultDevice };",
        'peers',
      ),
    });
  if (systems.includes('tfjs'))
    rows.push({
      what: 'tfjs-core and tfjs-backend-wasm',
      script: await sizesOf(
        "export { setBackend, tensor, matMul, mul, softmax } from '@tensorflow/tfjs-core'; import '@tensorflow/tfjs-backend-wasm';",
        'peers',
      ),
      binary: binary('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'),
    });
  return rows;
}
