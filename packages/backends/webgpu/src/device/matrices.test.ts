import { describe, expect, it } from 'vitest';
import { nullDevice, swiftshader } from '../adapters.fixture.ts';
import { least, type Machine } from '../emit/machine.ts';
import { webgpu } from '../index.ts';
import { findDevice } from './find.ts';
import { MATRIX, machineOf } from './machine.ts';
import { withUsefulMatrices } from './matrices.ts';

const matrix = { component: 'f16', result: 'f32', m: 8, n: 8, k: 8 };
const machine: Machine = {
  ...least,
  half: true,
  subgroups: { min: 4, max: 128 },
  matrices: [matrix],
};
const all = { half: true, subgroups: true, matrices: true };

describe('matrices of subgroups', () => {
  it('are what the adapter says, unless one of what they need is switched off', async () => {
    const { device, info } = await findDevice(nullDevice());
    const subgroupMatrixConfigs = [{ componentType: 'f16', resultComponentType: 'f32', M: 8, N: 16, K: 4 }];
    const found = { device, info: { ...info, subgroupMatrixConfigs } as GPUAdapterInfo };
    expect(machineOf(found, all).matrices).toEqual([{ ...matrix, n: 16, k: 4 }]);
    for (const off of ['half', 'subgroups', 'matrices'] as const)
      expect(machineOf(found, { ...all, [off]: false }).matrices).toEqual([]);
    device.destroy();
  });

  it('are asked for only where they are wanted and can be', async () => {
    const plain = await webgpu({ ...nullDevice(), matrices: false }).open();
    expect([...plain.device.features]).not.toContain(MATRIX);
    await plain.close();
    const without = await webgpu({ ...nullDevice(), half: false }).open();
    expect([...without.device.features]).not.toContain(MATRIX);
    await without.close();
  });

  it('are left out where a compiler refuses them, or none can be used', async () => {
    const { device } = await findDevice(nullDevice());
    expect((await withUsefulMatrices(device, machine)).matrices).toEqual([matrix]);
    const odd = { ...machine, matrices: [{ ...matrix, result: 'f16' }] };
    expect((await withUsefulMatrices(device, odd)).matrices).toEqual([]);
    device.destroy();
    const { device: other } = await findDevice(swiftshader());
    const complaints: string[] = [];
    other.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
    expect((await withUsefulMatrices(other, machine)).matrices).toEqual([]);
    expect(complaints).toEqual([]);
    other.destroy();
  });
});
