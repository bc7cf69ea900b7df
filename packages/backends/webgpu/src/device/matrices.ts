// Whether a device's compiler takes matrices of subgroups as they are written here: the extension is experimental, and has
// been spelled in other ways.

import { least, type Machine } from '../emit/machine.ts';
import { ALIGNED, MatrixSums, panelOf, tilingOf } from '../emit/matrices.ts';
import { ShaderWriter } from '../emit/shader.ts';

/** A product of every kind of statement that emission writes; null for matrices that it makes no use of. */
function trial(machine: Machine): string | null {
  const invocations = machine.subgroups?.max ?? 0;
  const size = Math.max(16, ...machine.matrices.flatMap(({ m, n }) => [m, n]));
  const tiling = tilingOf(machine, { rows: size, columns: size }, invocations);
  if (!tiling) return null;
  const shader = new ShaderWriter({
    ...machine,
    workgroupBytes: Math.max(least.workgroupBytes, 16 * size ** 2),
  });
  const panel = { outers: size, depths: ALIGNED } as const;
  const left = panelOf(shader, 'left', { ...panel, inner: 'depth' });
  const right = panelOf(shader, 'right', { ...panel, inner: 'outer' });
  const memory = shader.workgroup('sums', 'f32', size * size);
  const sums = new MatrixSums(shader, tiling);
  sums.add(left, right);
  sums.store(memory, size);
  return shader.finish(invocations).code;
}

/** The machine, without matrices where they are of no use: no kernel has them, or the compiler refuses them. */
export async function withUsefulMatrices(device: GPUDevice, machine: Machine): Promise<Machine> {
  const none = { ...machine, matrices: [] };
  const code = machine.matrices.length > 0 ? trial(machine) : null;
  if (code === null) return none;
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const compiled = device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const [result] = await Promise.allSettled([compiled, device.popErrorScope()]);
  return result.status === 'fulfilled' ? machine : none;
}
