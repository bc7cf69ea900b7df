import { scalar, trace } from '@heed/expr';
import { type Call, type Program, ValueError, type View } from '@heed/tensor';
import { afterEach, describe, expect, it } from 'vitest';
import { cpu } from '../../index.ts';
import { CpuBackend } from '../backend.ts';
import { detect, machineOf } from '../features.ts';
import { startApart } from './apart.ts';

const open: CpuBackend[] = [];
afterEach(async () => {
  for (const backend of open.splice(0)) await backend.close();
});

/** A backend as a page has it: this thread does no work and never blocks. */
async function inPage(threads: number): Promise<CpuBackend> {
  const recruit = await startApart(threads);
  const machine = machineOf(detect(), { relaxed: true, shared: true, maximumPages: 4096, threads });
  return new CpuBackend({
    machine,
    bytes: 2 ** 26,
    poison: true,
    checked: true,
    crew: (memory, places) => recruit(memory, places, [`${threads} threads`]),
  });
}

const ways: readonly (readonly [string, () => Promise<CpuBackend>])[] = [
  ['one thread', async () => (await cpu({ threads: 1, poison: true }).open()) as CpuBackend],
  ['two threads', async () => (await cpu({ threads: 2, poison: true }).open()) as CpuBackend],
  ['three threads', async () => (await cpu({ threads: 3, poison: true }).open()) as CpuBackend],
  ['one thread apart', () => inPage(1)],
  ['two threads apart', () => inPage(2)],
];

const backendOf = async (make: () => Promise<CpuBackend>): Promise<CpuBackend> => {
  const backend = await make();
  open.push(backend);
  return backend;
};

function put(
  backend: CpuBackend,
  shape: readonly number[],
  value: (i: number) => number,
  ints = false,
): View {
  const count = shape.reduce((all, size) => all * size, 1);
  const values = Array.from({ length: count }, (_, i) => value(i));
  const allocation = backend.allocate(count * 4);
  backend.write(allocation, new Uint8Array((ints ? Int32Array : Float32Array).from(values).buffer));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((all, size) => all * size, 1));
  return { allocation, dtype: ints ? 'int32' : 'float32', shape, strides, offset: 0 };
}

const take = async (backend: CpuBackend, { allocation }: View): Promise<number[]> =>
  Array.from(new Float32Array((await backend.read(allocation, 0, allocation.bytes)).buffer));

const matmul: Program = {
  kind: 'matmul',
  rank: 0,
  a: 'float32',
  b: 'float32',
  inputs: {},
  uniforms: {},
  epilogue: trace('test', scalar, (x) => x('product', scalar)),
  dtype: 'float32',
};
const call = (inputs: Call['inputs'], out: View): Call => ({
  inputs,
  outputs: { out },
  uniforms: {},
  sizes: {},
});

describe.skipIf(!detect().shared)('all crews', () => {
  it('compute the same bits', async () => {
    const results: number[][] = [];
    for (const [, make] of ways) {
      const backend = await backendOf(make);
      const n = 150;
      const a = put(backend, [n, n], (i) => Math.sin(i));
      const b = put(backend, [n, n], (i) => Math.cos(i * 1.7));
      const kernel = backend.compile(matmul);
      // Each product is read by the next, over memory that was given out before.
      let product = a;
      for (let i = 0; i < 8; i++) {
        const next = put(backend, [n, n], () => 0);
        backend.run(kernel, call({ a: product, b }, next));
        if (product !== a) backend.free(product.allocation);
        product = next;
      }
      results.push(await take(backend, product));
    }
    expect(results[0]?.every(Number.isFinite)).toBe(true);
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it.each(ways)('of %s do writes and runs in their order', async (_, make) => {
    const backend = await backendOf(make);
    const n = 64;
    const unit = put(backend, [n, n], (i) => (i % (n + 1) === 0 ? 1 : 0));
    const [a, out] = [put(backend, [n, n], () => 1), put(backend, [n, n], () => 0)];
    const kernel = backend.compile(matmul);
    const found: Promise<number[]>[] = [];
    for (let value = 2; value < 12; value++) {
      const bytes = new Uint8Array(new Float32Array(n * n).fill(value).buffer);
      backend.write(a.allocation, bytes);
      bytes.fill(0xff);
      backend.run(kernel, call({ a, b: unit }, out));
      found.push(take(backend, out));
    }
    for (const [i, result] of (await Promise.all(found)).entries())
      expect(new Set(result)).toEqual(new Set([i + 2]));
  });

  it.each(ways)('of %s say at the next read which index was wrong', async (_, make) => {
    const backend = await backendOf(make);
    const kernel = backend.compile({ kind: 'gather', outer: 0, inner: 0, dtype: 'float32' });
    const data = put(backend, [4], (i) => i);
    const index = put(backend, [3], (i) => [1, 9, 2][i] as number, true);
    const out = put(backend, [3], () => 0);
    backend.run(kernel, call({ data, index }, out));
    // What was wrong is not there any more when someone asks.
    backend.write(index.allocation, new Uint8Array(12));
    await expect(take(backend, out)).rejects.toThrow(ValueError);
    backend.run(kernel, call({ data, index }, out));
    expect(await take(backend, out)).toEqual([0, 0, 0]);
  });

  it.each(ways)('of %s end when they are told to', async (_, make) => {
    const backend = await backendOf(make);
    const a = put(backend, [4], (i) => i);
    await backend.close();
    await expect(take(backend, a)).rejects.toThrow('this backend was closed');
  });
});

describe.skipIf(!detect().shared)('a crew apart', () => {
  it('says how it works', async () => {
    const backend = await backendOf(() => inPage(2));
    const kernel = backend.compile(matmul);
    expect(kernel.notes).toEqual(['2 threads', 'none of them this one, which must not block']);
  });

  it('tells those who still wait that it was closed', async () => {
    const backend = await backendOf(() => inPage(1));
    const a = put(backend, [4], (i) => i);
    const heard = expect(take(backend, a)).rejects.toThrow('closed before it came to that');
    await backend.close();
    await heard;
  });
});

describe('cpu', () => {
  it.each([0, -1, 1.5, Number.NaN, 1000])('refuses %d threads', async (threads) => {
    await expect(cpu({ threads }).open()).rejects.toThrow(/threads: expected a whole number from 1 to 256/);
  });

  it('says that it runs on one thread', async () => {
    const backend = await backendOf(ways[0]?.[1] as () => Promise<CpuBackend>);
    expect(backend.compile(matmul).notes).toEqual(['one thread']);
  });
});
