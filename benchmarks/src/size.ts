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

/** What of a peer belongs to a backend. */
const parts = {
  cpu: {
    ort: 'onnxruntime-web/wasm',
    ortBinary: 'onnxruntime-web/ort-wasm-simd-threaded.wasm',
    tfjs: '@tensorflow/tfjs-backend-wasm',
    tfjsBinary: '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  },
  webgpu: {
    ort: 'onnxruntime-web/webgpu',
    ortBinary: 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm',
    tfjs: '@tensorflow/tfjs-backend-webgpu',
    tfjsBinary: null,
  },
} as const;

export async function measureSizes(
  backend: keyof typeof parts,
  systems: readonly string[],
): Promise<SizeRow[]> {
  const { ort, ortBinary, tfjs, tfjsBinary } = parts[backend];
  const both = `export { attention } from '@heed/attention'; export { ${backend} } from '@heed/${backend}';`;
  const rows: SizeRow[] = [
    { what: `heed: attention and ${backend}`, script: await sizesOf(both, 'heed') },
    {
      what: 'heed: attention alone',
      script: await sizesOf("export { attention } from '@heed/attention';", 'heed'),
    },
    {
      what: 'heed: both, a device, tensors, one score, one mask, softmax',
      script: await sizesOf(
        `${both}
         export { openDevice, tensor } from '@heed/tensor'; export { scaledDot } from '@heed/scores';
         export { causal } from '@heed/masks'; export { softmax } from '@heed/normalizers';`,
        'heed',
      ),
    },
  ];
  if (systems.includes('onnxruntime-web'))
    rows.push({
      what: ort,
      script: await sizesOf(`export { InferenceSession, Tensor } from '${ort}';`, 'peers'),
      binary: binary(ortBinary),
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
      what: `tfjs-core and ${tfjs.split('/')[1]}`,
      script: await sizesOf(
        `export { setBackend, tensor, matMul, mul, softmax } from '@tensorflow/tfjs-core'; import '${tfjs}';`,
        'peers',
      ),
      ...(tfjsBinary ? { binary: binary(tfjsBinary) } : {}),
    });
  return rows;
}
