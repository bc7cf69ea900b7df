import { scalar, trace } from '@heed/expr';
import type { Program, View } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { cpu } from '../../index.ts';
import { detect, machineOf } from '../features.ts';
import { compileEagerly } from './flags.ts';
import { tryTurbo } from './turbo.ts';

const machine = machineOf(detect(), { relaxed: true, shared: false, maximumPages: 16 });
const program: Program = {
  kind: 'matmul',
  rank: 0,
  a: 'float32',
  b: 'float32',
  inputs: {},
  uniforms: {},
  epilogue: trace('test', scalar, (x) => x('product', scalar)),
  dtype: 'float32',
};

/** A matrix product on a backend, and what it says of itself. */
async function multiply(options: { readonly threads: number; readonly turbo: boolean }) {
  const backend = await cpu({ ...options, poison: true }).open();
  const n = 130;
  const put = (value: (i: number) => number): View => {
    const allocation = backend.allocate(n * n * 4);
    backend.write(
      allocation,
      new Uint8Array(Float32Array.from({ length: n * n }, (_, i) => value(i)).buffer),
    );
    return { allocation, dtype: 'float32', shape: [n, n], strides: [n, 1], offset: 0 };
  };
  const [a, b, out] = [put(Math.sin), put(Math.cos), put(() => 0)];
  const kernel = backend.compile(program);
  for (let i = 0; i < 30; i++)
    backend.run(kernel, { inputs: { a, b }, outputs: { out }, uniforms: {}, sizes: {} });
  const found = Array.from(new Float32Array((await backend.read(out.allocation, 0, n * n * 4)).buffer));
  await backend.close();
  return { found, notes: kernel.notes };
}

describe('turbo', () => {
  it('computes what plain kernels do, and says which ran', async () => {
    const plain = await multiply({ threads: 1, turbo: false });
    expect(plain.notes.join()).not.toContain('turbo');
    for (const threads of [1, 2]) {
      const turbo = await multiply({ threads, turbo: true });
      expect(turbo.notes.at(-1)).toMatch(/^(turbo: 256-bit vectors, \d|not turbo: \w)/);
      for (const [i, value] of turbo.found.entries()) expect(value).toBeCloseTo(plain.found[i] as number, 4);
    }
  });

  it('is not tried where it cannot be', () => {
    expect(tryTurbo(machine, 12.4).note).toBe('not turbo: it needs Node 24 (V8 13.6) or later');
    expect(tryTurbo({ ...machine, relaxed: false }, 14).note).toBe('not turbo: it needs relaxed SIMD');
    expect(tryTurbo(machine, null).refused).not.toBeNull();
  });

  it.skipIf((detect().v8 ?? 0) < 13.6)('is refused or taken after a trial', () => {
    const { refused, note } = tryTurbo(machine, detect().v8);
    expect(note).toMatch(
      refused === null ? /^turbo: 256-bit vectors, [\d.]+ times/ : /^not turbo: it was [\d.]+ times/,
    );
  });

  it.skipIf(!('process' in globalThis))('leaves nothing set behind a module that cannot be compiled', () => {
    expect(() => compileEagerly(Uint8Array.of(1, 2, 3), true)).toThrow(WebAssembly.CompileError);
    expect(() => new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).not.toThrow();
  });
});
