import { BackendError, matmul, openDevice, tensor } from '@heed/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lavapipe, nullDevice, swiftshader } from '../adapters.fixture.ts';
import { webgpu } from '../index.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('./engine.ts');
});

/** A device of the test's own, as a program that draws with it would have one. */
async function ownDevice(): Promise<GPUDevice> {
  const adapter = await swiftshader().gpu?.requestAdapter();
  return (await adapter?.requestDevice()) as GPUDevice;
}

const square = [
  [1, 2],
  [3, 4],
];
const squared = [
  [7, 10],
  [15, 22],
];

describe('opening', () => {
  it('takes what is better than the least of an adapter', async () => {
    const fast = await webgpu(lavapipe()).open();
    expect(fast.machine).toMatchObject({
      invocations: 1024,
      workgroupBytes: 32768,
      storageBuffers: 16,
      half: true,
      subgroups: { min: 8, max: 8 },
    });
    const plain = await webgpu({ ...lavapipe(), half: false, subgroups: false }).open();
    expect(plain.machine).toMatchObject({ half: false, subgroups: null });
    expect([...plain.device.features]).not.toContain('shader-f16');
    const slow = await webgpu(swiftshader()).open();
    // Computed on the processor, whose few threads are soon busy.
    expect(slow.machine).toMatchObject({
      invocations: 256,
      half: false,
      subgroups: { min: 4, max: 4 },
      busy: 16,
    });
    expect((await webgpu(nullDevice()).open()).machine.half).toBe(true);
    for (const backend of [fast, plain, slow]) await backend.close();
  });

  it('looks at navigator.gpu first, and in Node for the package webgpu', async () => {
    const requestAdapter = vi.fn(async () => null);
    vi.stubGlobal('navigator', { gpu: { requestAdapter } });
    await expect(webgpu().open()).rejects.toThrow('webgpu: open: no adapter was found.');
    expect(requestAdapter).toHaveBeenCalledWith({ powerPreference: 'high-performance' });
    await expect(webgpu({ adapter: { powerPreference: 'low-power' } }).open()).rejects.toThrow(BackendError);
    expect(requestAdapter).toHaveBeenLastCalledWith({ powerPreference: 'low-power' });
    vi.stubGlobal('navigator', {});
    const backend = await webgpu({ adapter: 'SwiftShader' }).open();
    expect(backend.device.adapterInfo.architecture).toBe('swiftshader');
    await backend.close();
  });

  it('loads what computes when a device is opened, and says so where that fails', async () => {
    vi.doMock('./engine.ts', () => {
      throw new Error('the network is down');
    });
    const opening = webgpu(swiftshader()).open();
    await expect(opening).rejects.toThrow(BackendError);
    await expect(opening).rejects.toThrow('webgpu: open: its code could not be loaded');
  });

  it('says what would provide a device where there is none', async () => {
    await expect(webgpu({ adapter: 'Voodoo' }).open()).rejects.toThrow(
      /^webgpu: open: no adapter was found.* Dawn needs a driver .* `apt-get install chromium`/s,
    );
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('navigator', {});
    await expect(webgpu().open()).rejects.toThrow(
      /^webgpu: open: there is no navigator.gpu here. Browsers have it on secure pages .*cpu\(\) of @heed\/cpu/,
    );
    await expect(webgpu({ adapter: 'SwiftShader' }).open()).rejects.toThrow('in Node only');
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.reject(new TypeError('no')) } });
    await expect(webgpu().open()).rejects.toThrow(/no adapter was found \(no\). Browsers have it/);
  });

  it('compiles, and runs nothing, where nothing can be run', async () => {
    const device = await openDevice(webgpu(nullDevice()));
    expect(await matmul(tensor(device, square), tensor(device, square)).read()).toHaveLength(4);
    await device.close();
  });

  it('refuses a limit that is none', () => {
    expect(() => webgpu({ bytes: 0 })).toThrow('webgpu: bytes: expected a number above 0, got 0.');
  });
});

describe("a device of the caller's", () => {
  it('is used as it is, and outlives the backend', async () => {
    const device = await ownDevice();
    const destroy = vi.spyOn(device, 'destroy');
    const one = await openDevice(webgpu({ device }));
    expect(await matmul(tensor(one, square), tensor(one, square)).toNested()).toEqual(squared);
    await one.close();
    expect(destroy).not.toHaveBeenCalled();
    const two = await openDevice(webgpu({ device }));
    expect(await matmul(tensor(two, square), tensor(two, square)).toNested()).toEqual(squared);
    await two.close();
    device.destroy();
  });

  it('keeps its errors: what others do wrong on it is not told here', async () => {
    const device = await ownDevice();
    const seen = vi.fn((event: GPUUncapturedErrorEvent) => event.preventDefault());
    device.addEventListener('uncapturederror', seen);
    const opened = await openDevice(webgpu({ device }));
    device.createShaderModule({ code: 'nonsense' });
    expect(await tensor(opened, [1]).read()).toEqual(Float32Array.of(1));
    await vi.waitFor(() => expect(seen).toHaveBeenCalledTimes(1));
    await opened.close();
    device.destroy();
  });
});

describe('a device that is lost', () => {
  it('rejects what waits and refuses what comes, until another one is opened', async () => {
    const plugin = webgpu(swiftshader());
    const backend = await plugin.open();
    const allocation = backend.allocate(16);
    const waiting = backend.read(allocation, 0, 16);
    backend.device.destroy();
    const lost =
      /^webgpu: .*the device was lost \(destroyed.*and all its tensors with it. Open another one with openDevice\(webgpu\(...\)\)/;
    await expect(waiting).rejects.toThrow(lost);
    await expect(waiting).rejects.toMatchObject({ name: 'BackendError', code: 'BACKEND' });
    await expect(backend.read(allocation, 0, 16)).rejects.toThrow(lost);
    expect(() => backend.allocate(16)).toThrow(lost);
    expect(() => backend.write(allocation, new Uint8Array(4))).toThrow(lost);
    await backend.close();
    const device = await openDevice(plugin);
    expect(await matmul(tensor(device, square), tensor(device, square)).toNested()).toEqual(squared);
    await device.close();
  });

  it('lets its tensors end', async () => {
    const device = await openDevice(webgpu(swiftshader()));
    const one = tensor(device, [1, 2]);
    (device.backend as unknown as { device: GPUDevice }).device.destroy();
    await expect(one.read()).rejects.toThrow('the device was lost');
    expect(() => one.dispose()).not.toThrow();
    expect(() => tensor(device, [1])).toThrow('the device was lost');
    await device.close();
  });
});
