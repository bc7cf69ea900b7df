import { add, type Expr, exp, mul, type Scalar, scalar, trace } from '@heed/expr';
import { BackendError, type MapProgram, type View } from '@heed/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cpu } from '../index.ts';
import { CpuBackend } from './backend.ts';
import { detect, machineOf } from './features.ts';

const sum = trace('test', scalar, (x) => add(x('a', scalar), x('b', scalar)));
const program = (body: Expr<Scalar> = sum): MapProgram => ({
  kind: 'map',
  rank: 1,
  inputs: { a: 'float32', b: 'float32' },
  uniforms: {},
  results: { out: { dtype: 'float32', body } },
});

async function bench() {
  const backend = (await cpu({ poison: true }).open()) as CpuBackend;
  const put = (values: readonly number[]): View => {
    const allocation = backend.allocate(values.length * 4);
    backend.write(allocation, new Uint8Array(Float32Array.from(values).buffer));
    return { allocation, dtype: 'float32', shape: [values.length], strides: [1], offset: 0 };
  };
  const read = async (view: View) => [
    ...new Float32Array((await backend.read(view.allocation, 0, view.allocation.bytes)).buffer),
  ];
  return { backend, put, read };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('cpu', () => {
  it('runs a program, and says with which modules', async () => {
    const { backend, put, read } = await bench();
    const kernel = backend.compile(program());
    const [a, b, out] = [put([1, 2, 3]), put([10, 20, 30]), put([0, 0, 0])];
    backend.run(kernel, { inputs: { a, b }, outputs: { out }, uniforms: {}, sizes: {} });
    expect(await read(out)).toEqual([11, 22, 33]);
    const row = { ...b, strides: [0] };
    backend.run(kernel, { inputs: { a, b: row }, outputs: { out }, uniforms: {}, sizes: {} });
    expect(await read(out)).toEqual([11, 12, 13]);
    expect(kernel.notes.slice(0, 2)).toEqual([
      expect.stringMatching(
        /^lanes along an axis: a contiguous, b contiguous, out contiguous \(\d+ bytes of WebAssembly\)$/,
      ),
      expect.stringMatching(/^lanes along an axis: a contiguous, b repeated, out contiguous/),
    ]);
    expect(kernel.source).toContain('f32x4.add');
    expect(kernel.source).toContain('v128.load32_splat');
  });

  it('makes one module for equal programs', async () => {
    const { backend, put } = await bench();
    const constructed = vi.spyOn(WebAssembly, 'Instance');
    const [a, b, out] = [put([1]), put([2]), put([0])];
    for (let i = 0; i < 3; i++) {
      const again = trace('test', scalar, (x) => add(x('a', scalar), x('b', scalar)));
      backend.run(backend.compile(program(again)), {
        inputs: { a, b },
        outputs: { out },
        uniforms: {},
        sizes: {},
      });
    }
    expect(constructed).toHaveBeenCalledTimes(1);
    constructed.mockRestore();
  });

  it('refuses programs that it cannot run, and those that contradict themselves', async () => {
    const { backend } = await bench();
    expect(backend.supports({ ...program(), inputs: { a: 'float64', b: 'float32' } })).toEqual({
      reason: 'the cpu backend computes in float32 and stores no float64; the reference backend does.',
    });
    expect(backend.supports({ kind: 'sort' } as never)).toEqual({
      reason: expect.stringContaining('no kernels for programs of kind "sort"'),
    });
    expect(() => backend.compile({ ...program(), results: {} })).toThrow(
      'cpu: map: expected at least one result, got none.',
    );
    expect(() => backend.compile(program(trace('t', scalar, (x) => x('c', scalar))))).toThrow(
      'cpu: map: result "out": expected a name among a, b, axis0, got "c".',
    );
    expect(() => backend.compile({ ...program(), inputs: { a: 'int32', b: 'float32' } })).toThrow(
      '"a" to be read as index, got scalar',
    );
    expect(() => backend.compile({ ...program(), uniforms: { a: 'float' } })).toThrow(
      'expected every name to mean one thing, got "a" twice',
    );
    expect(() => backend.compile({ ...program(), results: { out: { dtype: 'int32', body: sum } } })).toThrow(
      'result "out": expected a formula that gives index, got scalar',
    );
  });

  it('refuses calls that their program did not ask for', async () => {
    const { backend, put } = await bench();
    const kernel = backend.compile({ ...program(), uniforms: { n: 'int' } });
    const [a, b, out] = [put([1, 2]), put([1, 2]), put([0, 0])];
    const call = { inputs: { a, b }, outputs: { out }, uniforms: { n: 1 }, sizes: {} };
    const run = (change: object) => () => backend.run(kernel, { ...call, ...change });
    expect(run({})).not.toThrow();
    expect(run({ uniforms: {} })).toThrow('cpu: map: expected the uniforms n, got none.');
    expect(run({ uniforms: { n: 1.5 } })).toThrow('uniform "n" to be a 32-bit int, got 1.5');
    expect(run({ inputs: { a } })).toThrow('expected the inputs a, b, got a');
    expect(run({ inputs: { a, b: { ...b, dtype: 'int32' } } })).toThrow('"b" to be float32, got int32');
    expect(run({ inputs: { a, b: put([1, 2, 3]) } })).toThrow('"b" of shape [2], got [3]');
    expect(run({ inputs: { a, b: { ...b, offset: 1 } } })).toThrow('"b" to lie inside its 8 bytes');
    const other = await bench();
    expect(run({ inputs: { a, b: other.put([1, 2]) } })).toThrow('belongs to another backend');
    expect(() => backend.run({ program: program(), source: '', notes: [] }, call)).toThrow(BackendError);
  });

  it('is as usable as before after it ran out of memory', async () => {
    const backend = await cpu({ bytes: 1_000_000 }).open();
    const one = backend.allocate(900_000);
    expect(() => backend.allocate(200_000)).toThrow(
      'asked for 200000 bytes while 900000 of 1000000 are held',
    );
    backend.free(one);
    expect(backend.allocate(1_000_000).bytes).toBe(1_000_000);
    await backend.close();
    expect(() => backend.allocate(4)).toThrow('this backend was closed');
  });

  it.skipIf(!detect().shared)('keeps its tensors in memory that threads share, where asked', async () => {
    const machine = machineOf(detect(), { relaxed: true, shared: true, maximumPages: 2048 });
    const backend = new CpuBackend({ machine, bytes: 2 ** 26, poison: true, checked: true });
    const allocation = backend.allocate(2 ** 23);
    backend.write(allocation, new Uint8Array(Float32Array.from([1, 2, 3]).buffer));
    const view: View = { allocation, dtype: 'float32', shape: [3], strides: [1], offset: 0 };
    const call = {
      inputs: { a: view, b: view },
      outputs: { out: { ...view, offset: 2 ** 20 } },
      uniforms: {},
      sizes: {},
    };
    backend.run(backend.compile(program()), call);
    const found = await backend.read(allocation, 2 ** 22, 12);
    expect(found.buffer).toBeInstanceOf(ArrayBuffer);
    expect([...new Float32Array(found.buffer)]).toEqual([2, 4, 6]);
  });

  it('names the reference backend where WebAssembly is missing or forbidden', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    await expect(cpu().open()).rejects.toThrow(/no WebAssembly. Use reference\(\) of @heed\/reference/);
    class Forbidden {
      constructor() {
        throw new Error("Refused to compile because 'unsafe-eval' is not allowed");
      }
    }
    vi.stubGlobal('WebAssembly', { Module: Forbidden });
    await expect(cpu().open()).rejects.toThrow(
      /WebAssembly is forbidden here .*'wasm-unsafe-eval'.*reference\(\)/,
    );
  });

  it('emits a module in a few milliseconds and kilobytes', async () => {
    const machine = machineOf(detect(), { relaxed: true, shared: false, maximumPages: 1024 });
    const backend = new CpuBackend({ machine, bytes: 2 ** 20, poison: false, checked: true });
    const body = trace('test', scalar, (x) => mul(exp(x('a', scalar)), x('b', scalar)));
    const kernel = backend.compile(program(body));
    const allocation = backend.allocate(64);
    const view: View = { allocation, dtype: 'float32', shape: [4], strides: [1], offset: 0 };
    backend.run(kernel, {
      inputs: { a: view, b: { ...view, offset: 4 } },
      outputs: { out: { ...view, offset: 8 } },
      uniforms: {},
      sizes: {},
    });
    const size = Number(/\((\d+) bytes/.exec(kernel.notes[0] as string)?.[1]);
    expect(size).toBeLessThan(2500);
  });
});
