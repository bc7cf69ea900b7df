import { add, scalar, trace } from '@heed/expr';
import { BackendError, DisposedError, type GatherProgram, ValueError } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adapters, openOn } from '../adapters.fixture.ts';
import type { Dispatch } from '../emit/plan.ts';
import { ShaderWriter } from '../emit/shader.ts';
import type { WebGpuBackend } from './backend.ts';
import { call, increment, kernelOf, planOf, program, put, take } from './kernel.fixture.ts';

const once = (backend: WebGpuBackend) => kernelOf(backend, (count) => planOf([increment(count)]));

describe.each(adapters)('a backend on %s', (_, options) => {
  let backend: WebGpuBackend;
  beforeAll(async () => {
    backend = await openOn(options());
  });
  afterAll(() => backend.close());

  it('keeps bytes, at any offset', async () => {
    const memory = backend.allocate(23);
    const expected = Uint8Array.from({ length: 23 }, (_, i) => i);
    backend.write(memory, expected);
    for (const [at, length] of [
      [1, 2],
      [2, 5],
      [3, 1],
      [5, 18],
      [7, 9],
      [0, 3],
      [22, 1],
      [4, 0],
    ] as const) {
      const bytes = Uint8Array.from({ length }, (_, i) => 100 + 7 * at + i);
      backend.write(memory, bytes, at);
      expected.set(bytes, at);
      expect(await backend.read(memory, 0, 23)).toEqual(expected);
      expect(await backend.read(memory, at, length)).toEqual(bytes);
    }
    expect(() => backend.write(memory, new Uint8Array(2), 22)).toThrow(
      'webgpu: write: expected a range within 23 bytes, got 2 bytes from 22.',
    );
    await expect(backend.read(memory, -1, 2)).rejects.toThrow(BackendError);
  });

  it('writes bytes that lie in memory of any kind', async () => {
    const memory = backend.allocate(8);
    const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 8).fill(7);
    backend.write(memory, shared);
    expect(await backend.read(memory, 0, 8)).toEqual(new Uint8Array(8).fill(7));
    backend.write(memory, Buffer.from('abcd'), 4);
    expect(await backend.read(memory, 4, 4)).toEqual(Uint8Array.from([97, 98, 99, 100]));
  });

  it('submits work together, and writes in its turn', async () => {
    // Poison is work too.
    const clean = await openOn({ ...options(), poison: false });
    const submit = vi.spyOn(clean.device.queue, 'submit');
    const kernel = once(clean);
    const [a, b] = [put(clean, [1, 2, 3]), put(clean, [0, 0, 0])];
    for (let i = 0; i < 10; i++) {
      clean.run(kernel, call(a, b));
      clean.run(kernel, call(b, a));
    }
    expect(submit).toHaveBeenCalledTimes(0);
    // Work that is on its way reads what is there now, so a write has to wait for it to be submitted.
    clean.write(b.allocation, new Uint8Array(Float32Array.from([7]).buffer));
    expect(submit).toHaveBeenCalledTimes(1);
    clean.write(b.allocation, new Uint8Array(Float32Array.from([8]).buffer), 4);
    expect(submit).toHaveBeenCalledTimes(1);
    expect(await take(clean, b)).toEqual([7, 8, 22]);
    expect(await take(clean, a)).toEqual([21, 22, 23]);
    expect(submit).toHaveBeenCalledTimes(3);
    for (let i = 0; i < 64; i++) clean.run(kernel, call(a, b));
    expect(submit).toHaveBeenCalledTimes(4);
    await clean.close();
  });

  it('hands memory that was freed while work uses it to the next in line', async () => {
    const kernel = once(backend);
    const results = [1, 2, 3].map((value) => {
      const a = put(backend, [value]);
      const out = put(backend, [0]);
      backend.run(kernel, call(a, out));
      backend.free(a.allocation);
      return out;
    });
    expect((await Promise.all(results.map((view) => take(backend, view)))).flat()).toEqual([2, 3, 4]);
  });

  it('lets no result share a buffer with what is read, or with another result', async () => {
    const memory = put(backend, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const part = (offset: number, stride = 1) => ({ ...memory, shape: [3], strides: [stride], offset });
    backend.run(once(backend), call(part(1), part(5)));
    expect(await take(backend, memory)).toEqual([1, 2, 3, 4, 5, 3, 4, 5, 9]);
    const x = trace('test', scalar, (declare) => declare('a', scalar));
    const both = backend.compile({
      ...program,
      results: { even: { dtype: 'float32', body: add(x, 10) }, odd: { dtype: 'float32', body: add(x, 20) } },
    });
    backend.run(both, {
      inputs: { a: part(6) },
      outputs: { even: part(0, 2), odd: part(1, 2) },
      uniforms: {},
      sizes: {},
    });
    expect(await take(backend, memory)).toEqual([14, 24, 15, 25, 19, 29, 4, 5, 9]);
  });

  it('runs more groups than fit along one dimension', async () => {
    const groups = backend.machine.workgroups + 2;
    const mark = (key: string): Dispatch => ({
      key,
      groups,
      numbers: { groups },
      emit: () => {
        const shader = new ShaderWriter(backend.machine);
        const to = shader.binding('out:out', 'write', 'f32');
        shader.code.if(`group < ${shader.number('groups')}`, () =>
          shader.code.set(`${to}[group]`, 'f32(group)'),
        );
        return shader.finish(1);
      },
    });
    const out = put(backend, new Array(groups).fill(-1));
    backend.run(
      kernelOf(backend, () => planOf([mark('mark')])),
      call(out, { ...out, allocation: backend.allocate(4 * groups) }),
    );
    const target = put(backend, new Array(groups).fill(-1));
    backend.run(
      kernelOf(backend, () => planOf([mark('mark')])),
      call(out, target),
    );
    expect(await take(backend, target)).toEqual(Array.from({ length: groups }, (_, i) => i));
    const many = kernelOf(backend, () => planOf([{ ...mark('many'), groups: 2 ** 33 }]));
    expect(() => backend.run(many, call(out, target))).toThrow(
      /^webgpu: map: "many": expected 1 to 65535 \* 65535 workgroups, got 8589934592/,
    );
  });

  it('binds a part of a buffer that is larger than what may be bound', async () => {
    const near = await openOn(options(), { bindingBytes: 1024 });
    const memory = put(
      near,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    const part = (offset: number, length: number) => ({ ...memory, shape: [length], offset });
    const out = put(near, new Array(100).fill(0));
    near.run(once(near), call(part(777, 100), out));
    expect(await take(near, out)).toEqual(Array.from({ length: 100 }, (_, i) => 778 + i));
    near.run(once(near), call(out, part(890, 100)));
    expect((await take(near, memory)).slice(888, 892)).toEqual([888, 889, 779, 780]);
    expect(() => near.run(once(near), call(part(0, 300), part(600, 300)))).toThrow(
      'webgpu: map: "a": expected to lie within 1024 bytes (maxStorageBufferBindingSize), got 1200. Split the tensor',
    );
    await near.close();
  });

  it('gives poisoned memory between dispatches, and takes it back', async () => {
    const pass = (key: string, from: string, to: string): Dispatch => ({
      key,
      groups: 1,
      numbers: {},
      emit: () => {
        const shader = new ShaderWriter(backend.machine);
        const [a, b] = [shader.binding(from, 'read', 'f32'), shader.binding(to, 'write', 'f32')];
        shader.code.if('group == 0 && lid == 0', () => shader.code.set(`${b}[lid]`, `${a}[lid]`));
        return shader.finish(1);
      },
    });
    const [a, b] = [put(backend, [3, 4]), put(backend, [0, 0])];
    const between = { between: 100_000 };
    const plan = planOf(
      [pass('in', 'a', 'scratch:between'), pass('out', 'scratch:between', 'out:out')],
      between,
    );
    const create = vi.spyOn(backend.device, 'createBuffer');
    for (let i = 0; i < 3; i++) {
      backend.run(
        kernelOf(backend, () => plan),
        call(a, b),
      );
    }
    expect(create.mock.calls.filter(([{ label }]) => label !== 'poison')).toHaveLength(1);
    create.mockRestore();
    expect(await take(backend, b)).toEqual([3, 0]);
    backend.run(
      kernelOf(backend, () => planOf([pass('out', 'scratch:between', 'out:out')], between)),
      call(a, b),
    );
    expect(await take(backend, b)).toEqual([Number.NaN, 0]);
  });

  it('plans anew where layouts differ by more than four elements of offset', () => {
    const plan = vi.fn((count: number) => planOf([increment(count)]));
    const kernel = kernelOf(backend, plan);
    const memory = put(backend, new Array(20).fill(1));
    const out = put(backend, [0, 0]);
    const part = (offset: number, stride = 1) => ({ ...memory, shape: [2], strides: [stride], offset });
    for (const offset of [0, 4, 12, 8]) backend.run(kernel, call(part(offset), out));
    expect(plan).toHaveBeenCalledTimes(1);
    backend.run(kernel, call(part(1), out));
    expect(plan).toHaveBeenCalledTimes(2);
    backend.run(kernel, call(part(1, 2), out));
    expect(plan).toHaveBeenCalledTimes(3);
    expect(kernel.notes).toEqual(['a test']);
    expect(kernel.source).toContain('fn main(');
  });

  it('rejects the next read, once, with what the compiler says about a shader', async () => {
    const wrong: Dispatch = {
      key: 'wrong',
      groups: 1,
      numbers: {},
      emit: () => {
        const shader = new ShaderWriter(backend.machine);
        shader.binding('out:out', 'write', 'f32');
        shader.code.line('let oops = 1u + missing;');
        return shader.finish(1);
      },
    };
    const [a, b] = [put(backend, [1]), put(backend, [2])];
    const kernel = kernelOf(backend, () => planOf([wrong]));
    backend.run(kernel, call(a, b));
    const error = await take(backend, b).catch((caught: Error) => caught);
    expect(error).toBeInstanceOf(BackendError);
    expect(String(error)).toMatch(
      /webgpu: map: the shader "wrong" was refused: line 7:\d+: unresolved value 'missing'\n {4}let oops = 1u \+ missing;/,
    );
    expect(await take(backend, b)).toEqual([2]);
    await expect(
      backend.warmUp(
        kernelOf(backend, () => planOf([wrong])),
        call(a, b),
      ),
    ).rejects.toThrow(/the shader "wrong" was refused: line 7/);
    expect(await take(backend, b)).toEqual([2]);
  });

  it('compiles before a call comes', async () => {
    const kernel = once(backend);
    const [a, b] = [put(backend, [1]), put(backend, [2])];
    await backend.warmUp(kernel, call(a, b));
    const create = vi.spyOn(backend.device, 'createComputePipeline');
    backend.run(kernel, call(a, b));
    expect(create).not.toHaveBeenCalled();
    create.mockRestore();
    expect(await take(backend, b)).toEqual([2]);
  });

  it('rejects the next read, once, with an index outside its axis', async () => {
    const gather: GatherProgram = { kind: 'gather', outer: 0, inner: 0, dtype: 'float32' };
    const [data, out] = [put(backend, [10, 20, 30]), put(backend, [9, 9])];
    const index = { ...put(backend, [0, 0]), dtype: 'int32' as const };
    backend.write(index.allocation, new Uint8Array(Int32Array.from([2, 7]).buffer));
    backend.run(backend.compile(gather), {
      inputs: { data, index },
      outputs: { out },
      uniforms: {},
      sizes: {},
    });
    const [first, second] = [take(backend, out), take(backend, out)];
    await expect(first).rejects.toThrow(
      new ValueError('gather: expected an index in [0, 3), got 7 as element 1 of index.'),
    );
    expect(await second).toEqual([30, 0]);
  });

  it('refuses kernels and memory that are not its own, and more buffers than a shader may have', async () => {
    const [a, b] = [put(backend, [1]), put(backend, [2])];
    expect(() => backend.run({ program, source: '', notes: [] }, call(a, b))).toThrow(
      'webgpu: run: expected a kernel that this backend compiled, got another (map).',
    );
    const other = await openOn(options());
    expect(() => backend.run(once(backend), call(put(other, [1]), b))).toThrow('belongs to another backend');
    await other.close();
    expect(() => backend.run(once(backend), call({ ...a, shape: [2] }, b))).toThrow(
      'webgpu: map: expected "a" to lie inside its 4 bytes',
    );
    const most = backend.device.limits.maxStorageBuffersPerShaderStage;
    const names = Array.from({ length: most + 1 }, (_, i) => `scratch:${i}`);
    const greedy: Dispatch = {
      ...increment(1),
      key: 'greedy',
      emit: () => ({ code: '', slots: [], buffers: names.map((tensor) => ({ tensor, access: 'read' })) }),
    };
    const kernel = kernelOf(backend, () => planOf([greedy]));
    expect(() => backend.run(kernel, call(a, b))).toThrow(
      `webgpu: map: expected at most ${most} buffers in one shader (maxStorageBuffersPerShaderStage), got ${most + 1}: scratch:0, `,
    );
  });

  it('takes as many arguments as many dispatches need', async () => {
    const kernel = kernelOf(backend, (count) =>
      planOf([
        {
          ...increment(count),
          // 4000 bytes each: a page of arguments is full before the batch is.
          key: 'wide',
          emit: () => {
            const narrow = increment(count).emit();
            const slots = Array.from(
              { length: 1000 },
              (_, i) => narrow.slots[i] ?? (narrow.slots[0] as never),
            );
            return {
              ...narrow,
              slots,
              code: narrow.code.replace(/array<vec4<i32>, \d+>/, 'array<vec4<i32>, 250>'),
            };
          },
        },
      ]),
    );
    const [a, b] = [put(backend, [0, 10]), put(backend, [0, 0])];
    for (let i = 0; i < 30; i++) {
      backend.run(kernel, call(a, b));
      backend.run(kernel, call(b, a));
    }
    expect(await take(backend, a)).toEqual([60, 70]);
  });

  it('says how long each dispatch took', async () => {
    const timed = await openOn({ ...options(), profile: true });
    const [a, b] = [put(timed, new Array(100_000).fill(1)), put(timed, new Array(100_000).fill(1))];
    for (let i = 0; i < 70; i++) timed.run(once(timed), call(a, b));
    const { untimed, runs } = await timed.profile();
    expect(untimed).toBeNull();
    expect(runs).toHaveLength(70);
    expect(runs[0]).toEqual({
      program: 'map',
      work: { operations: 1, bytes: 2 },
      dispatches: [{ key: 'increment', groups: Math.ceil(100_000 / 64), nanoseconds: expect.any(Number) }],
    });
    expect((await timed.profile()).runs).toEqual([]);
    expect((await backend.profile()).untimed).toContain('open the backend with webgpu({ profile: true })');
    await timed.close();
  });

  it('rejects what waits when it is closed, and everything afterwards', async () => {
    const closed = await openOn(options());
    const a = put(closed, [1]);
    const waiting = take(closed, a);
    await Promise.all([closed.close(), expect(waiting).rejects.toThrow(DisposedError)]);
    await closed.close();
    closed.free(a.allocation);
    expect(() => closed.allocate(4)).toThrow('webgpu: allocate: this backend was closed. Open another one.');
    await expect(take(closed, a)).rejects.toThrow(DisposedError);
  });
});
