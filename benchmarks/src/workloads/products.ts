// Scaled dot products, full and causal; what stands around them; plain matrix products.

import { attentionOver, DENSE, type Workload, workOf } from '../workload.ts';

const lengths = [512, 1024, 4096];

export function sdpa(mask: 'none' | 'causal', length: number): Workload {
  const task = attentionOver(length, { mask });
  const name = mask === 'none' ? 'full' : 'causal';
  return {
    id: `sdpa-${name}-${length}`,
    title: `SDPA ${name}, ${length}`,
    task,
    work: workOf(task),
    ...(length > 1024 ? { without: { tfjs: DENSE, 'jax-js': DENSE } } : {}),
  };
}

const size = 512;
const model = 512;

export const products: readonly Workload[] = [
  ...lengths.map((length) => sdpa('none', length)),
  ...lengths.map((length) => sdpa('causal', length)),
  {
    id: 'layer-512',
    title: 'multi-head layer, model 512, length 512',
    task: { op: 'layer', length: 512, model, heads: 8 },
    work: 4 * 2 * 512 * model * model + 4 * 512 * 512 * model,
  },
  {
    id: 'sgemm-512',
    title: 'matrix product 512 x 512 x 512',
    task: { op: 'matmul', size },
    work: 2 * size ** 3,
  },
];
