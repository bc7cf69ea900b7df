import { add, scalar } from '@heed/expr';
import { BackendError, DisposedError, type MapProgram, OutOfMemoryError, type View } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Bench, float } from './bench.fixture.ts';
import { reference } from './index.ts';

const twice: MapProgram = {
  kind: 'map',
  rank: 1,
  inputs: { a: 'float64' },
  uniforms: {},
  results: { out: { dtype: 'float64', body: float((x) => add(x('a', scalar), x('a', scalar))) } },
};

describe('reference', () => {
  it('is a plugin that opens backends of their own', async () => {
    const plugin = reference();
    expect([plugin.kind, plugin.name]).toEqual(['backend', 'reference']);
    const [one, other] = await Promise.all([plugin.open(), plugin.open()]);
    const allocation = one.allocate(4);
    expect(() => other.write(allocation, new Uint8Array(4))).toThrow(BackendError);
    expect(() => other.run(one.compile(twice), { inputs: {}, outputs: {}, uniforms: {}, sizes: {} })).toThrow(
      'expected a kernel that this backend compiled',
    );
    expect(one.supports(twice)).toBe(true);
  });

  it('shows what runs', async () => {
    const { backend } = await Bench.open();
    const { source, notes, program } = backend.compile(twice);
    expect(source).toContain('add(a, a)');
    expect(notes).toEqual(['interpreted in float64']);
    expect(program).toBe(twice);
  });

  it('poisons fresh memory, so that a result that depends on it shows', async () => {
    const bench = await Bench.open();
    const a = bench.empty([2]);
    expect(await bench.result(twice, { a }, { out: [2] })).toEqual({ out: [Number.NaN, Number.NaN] });
    expect(await bench.read(bench.empty([1], 'int32'))).toEqual([-1]);
  });

  it('writes and reads ranges, and gives copies', async () => {
    const { backend } = await Bench.open();
    const allocation = backend.allocate(4);
    backend.write(allocation, Uint8Array.of(1, 2, 3, 4));
    backend.write(allocation, Uint8Array.of(9), 2);
    const found = await backend.read(allocation, 1, 3);
    expect([...found]).toEqual([2, 9, 4]);
    found[0] = 7;
    expect([...(await backend.read(allocation, 1, 1))]).toEqual([2]);
    expect(() => backend.write(allocation, new Uint8Array(2), 3)).toThrow(
      'expected a range within 4 bytes, got 2 bytes from 3',
    );
    await expect(backend.read(allocation, -1, 1)).rejects.toThrow(BackendError);
  });

  it('counts memory: OutOfMemoryError says how much, and freeing gives it back', async () => {
    const { backend } = await Bench.open(100);
    const allocation = backend.allocate(60);
    const ask = () => backend.allocate(41);
    expect(ask).toThrow(OutOfMemoryError);
    expect(ask).toThrow('asked for 41 bytes while 60 of 100 are held');
    expect(backend.allocate(40).bytes).toBe(40);
    backend.free(allocation);
    expect(backend.allocate(60).bytes).toBe(60);
    expect(() => backend.allocate(1.5)).toThrow('expected a whole number of bytes, got 1.5');
  });

  it('refuses what was freed', async () => {
    const { backend } = await Bench.open();
    const allocation = backend.allocate(8);
    backend.free(allocation);
    expect(() => backend.free(allocation)).toThrow('was freed or belongs to another backend');
    expect(() => backend.write(allocation, new Uint8Array(1))).toThrow(BackendError);
    await expect(backend.read(allocation, 0, 1)).rejects.toThrow(BackendError);
    const view: View = { allocation, dtype: 'float64', shape: [1], strides: [1], offset: 0 };
    const out: View = { ...view, allocation: backend.allocate(8) };
    const kernel = backend.compile(twice);
    const call = { inputs: { a: view }, outputs: { out }, uniforms: {}, sizes: {} };
    expect(() => backend.run(kernel, call)).toThrow('map: input "a": expected an allocation of this backend');
  });

  it('ends when it is closed', async () => {
    const { backend } = await Bench.open();
    const allocation = backend.allocate(8);
    await backend.close();
    expect(() => backend.allocate(1)).toThrow(DisposedError);
    await expect(backend.read(allocation, 0, 1)).rejects.toThrow(DisposedError);
    // A finalizer may come late.
    expect(() => backend.free(allocation)).not.toThrow();
    await backend.close();
  });
});

describe('a call', () => {
  const refusal = async (change: (a: View, out: View) => { a?: View; out?: View }): Promise<string> => {
    const bench = await Bench.open();
    const [a, out] = [bench.full([4], [1, 2, 3, 4]), bench.empty([4])];
    const { a: input = a, out: output = out } = change(a, out);
    const call = { inputs: { a: input }, outputs: { out: output } };
    try {
      bench.run(twice, call);
    } catch (problem) {
      expect(problem).toBeInstanceOf(BackendError);
      return (problem as Error).message;
    }
    return 'accepted';
  };

  it('has views inside their allocations', async () => {
    const inside = 'expected a float64 view inside its allocation of 32 bytes, got';
    expect(await refusal((a) => ({ a }))).toBe('accepted');
    expect(await refusal((a) => ({ a: { ...a, offset: 1 } }))).toContain(
      `map: input "a": ${inside} elements 1 to 4`,
    );
    expect(await refusal((a) => ({ a: { ...a, strides: [2] } }))).toContain(`${inside} elements 0 to 6`);
    expect(await refusal((a) => ({ a: { ...a, strides: [-1], offset: 2 } }))).toContain(
      `${inside} elements -1 to 2`,
    );
    expect(await refusal((a) => ({ a: { ...a, strides: [] } }))).toContain(`${inside} 0 strides for 1 axes`);
    expect(await refusal((a) => ({ a: { ...a, offset: 0.5 } }))).toContain(
      `${inside} numbers that are not whole`,
    );
    expect(await refusal((a) => ({ a: { ...a, shape: [-1] } }))).toContain(`${inside} a negative size`);
    expect(await refusal((a) => ({ a: { ...a, strides: [-1], offset: 3 } }))).toBe('accepted');
  });

  it('has the dtypes, shapes and names of its program', async () => {
    expect(await refusal((a) => ({ a: { ...a, dtype: 'float32' } }))).toContain(
      'expected float64, got float32',
    );
    expect(await refusal((a) => ({ a: { ...a, shape: [3] } }))).toContain(
      'expected the shape of the results = [4], got [3]',
    );
    const bench = await Bench.open();
    const [a, out] = [bench.full([1], [1]), bench.empty([1])];
    const run = (call: object) => () => bench.run(twice, { inputs: { a }, outputs: { out }, ...call });
    expect(run({ inputs: {} })).toThrow('map: inputs: expected a, got none');
    expect(run({ inputs: { a, b: a } })).toThrow('map: inputs: expected a, got a, b');
    expect(run({ outputs: { result: out } })).toThrow('map: outputs: expected out, got result');
    expect(run({ uniforms: { by: 1 } })).toThrow('map: uniforms: expected none, got by');
    expect(run({ sizes: { batches: 1 } })).toThrow('map: sizes: expected none, got batches');
  });

  it('has outputs that overlap nothing', async () => {
    const half = { shape: [2], offset: 0 };
    expect(await refusal((a) => ({ out: a }))).toContain('output "out" overlaps input "a"');
    expect(await refusal((_, out) => ({ out: { ...out, strides: [0] } }))).toContain('overlaps itself');
    const evens = (a: View) => ({ ...a, ...half, strides: [2] });
    const odds = (a: View) => ({ ...a, ...half, strides: [2], offset: 1 });
    expect(await refusal((a) => ({ a: evens(a), out: odds(a) }))).toBe('accepted');
    expect(await refusal((a) => ({ a: evens(a), out: { ...a, ...half, offset: 1 } }))).toContain(
      'overlaps input',
    );
  });
});
