import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { type Code, type Local, Module } from './index.ts';
import { lane, memory, memoryLane, plain } from './instructions.ts';
import { typesOf } from './types.ts';

const features = {
  simd: true,
  relaxed_simd: true,
  threads: true,
  bulk_memory: true,
  sat_float_to_int: true,
  reference_types: true,
};
const text = wabt();

async function textOf(bytes: Uint8Array): Promise<string> {
  const module = (await text).readWasm(bytes, { ...features, readDebugNames: false });
  return module.toText({ foldExprs: false, inlineExport: false });
}

const imported = { module: 'heed', name: 'memory', minimum: 1, maximum: 65536, shared: true } as const;

const moduleOf = (write: (code: Code, address: Local<'i32'>) => void): Uint8Array<ArrayBuffer> => {
  const module = new Module(imported, { checked: true });
  module.function('run', ['i32'], undefined, (code, address) => write(code, address));
  return module.bytes();
};

describe('instructions', () => {
  const instructions = (all: Readonly<Record<string, readonly [number, string]>>) => Object.entries(all);

  it('are what wabt calls by the same name', async () => {
    const bytesOf = (signature: string, write: (code: Code, given: never[]) => unknown) =>
      moduleOf((code) => {
        const { takes, leaves } = typesOf(signature);
        const left = write(code, takes.map((type) => code.local(type)) as never[]);
        if (leaves) code.set(code.local(leaves), left as never);
      });
    const check = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
      expect([name, WebAssembly.validate(bytes)]).toEqual([name, true]);
      const found = (await textOf(bytes)).split('\n').map((line) => line.trim().split(/[ )]/)[0]);
      expect(found).toContain(name);
    };
    for (const [name, [, signature]] of instructions(plain))
      await check(
        name,
        bytesOf(signature, (code, given) => code.op(name as 'i32.add', ...(given as [never, never]))),
      );
    for (const [name, [, signature]] of instructions(memory))
      await check(
        name,
        bytesOf(signature, (code, given) =>
          code.access(name as 'i32.store', 8, ...(given as [never, never])),
        ),
      );
    for (const [name, [, signature]] of instructions(lane))
      await check(
        name,
        bytesOf(signature, (code, given) =>
          code.lane(name as 'i32x4.replace_lane', 1, ...(given as [never, never])),
        ),
      );
    for (const [name, [, signature]] of instructions(memoryLane))
      await check(
        name,
        bytesOf(signature, (code, given) =>
          code.memoryLane(name as 'v128.load32_lane', 8, 1, ...(given as [never, never])),
        ),
      );
  });

  it('have no opcode twice', () => {
    const codes = [plain, memory, lane, memoryLane].flatMap((all) =>
      instructions(all).map(([, [code]]) => code),
    );
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('Module', () => {
  it('writes what was asked for, in that order', async () => {
    const bytes = moduleOf((code, address) => {
      const x = code.local('v128');
      const n = code.let('i32', 300);
      code.loop((again) => {
        code.set(
          x,
          code.op(
            'f32x4.relaxed_madd',
            code.load('v128.load', address, 16),
            code.load('v128.load32_splat', address),
            x,
          ),
        );
        code.branchIf(again, code.tee(n, code.op('i32.sub', n, 1)));
      });
      code.access('v128.store', 0, address, x);
      code.if(
        code.op('i32.eqz', n),
        () => code.copy(address, 64, 65536),
        () => code.fill(address, -1, n),
      );
      code.block((end) => {
        code.branch(end);
      });
      code.fence();
    });
    expect((await textOf(bytes)).trim()).toMatchInlineSnapshot(`
      "(module
        (type (;0;) (func (param i32)))
        (import "heed" "memory" (memory (;0;) 1 65536 shared))
        (func (;0;) (type 0) (param i32)
          (local v128 i32)
          i32.const 300
          local.set 2
          loop  ;; label = @1
            local.get 0
            v128.load offset=16
            local.get 0
            v128.load32_splat
            local.get 1
            f32x4.relaxed_madd
            local.set 1
            local.get 2
            i32.const 1
            i32.sub
            local.tee 2
            br_if 0 (;@1;)
          end
          local.get 0
          local.get 1
          v128.store
          local.get 2
          i32.eqz
          if  ;; label = @1
            local.get 0
            i32.const 64
            i32.const 65536
            memory.copy
          else
            local.get 0
            i32.const -1
            local.get 2
            memory.fill
          end
          block  ;; label = @1
            br 0 (;@1;)
          end
          atomic.fence)
        (export "run" (func 0)))"
    `);
  });

  it('runs, calls and counts', () => {
    const bytes = moduleOf((code, address) => {
      const n = code.local('i32');
      code.loop((again) => {
        code.access('i32.store', 0, code.op('i32.add', code.op('i32.mul', n, 4), address), n);
        code.set(n, code.op('i32.add', n, 1));
        code.branchIf(again, code.op('i32.lt_u', n, 5));
      });
      code.access('i64.store', 32, code.get(address), code.i64(-(2n ** 40n)));
      code.access('f64.store', 40, code.get(address), code.f64(-0.1));
      code.access('i32.store', 48, code.get(address), code.select('i32', 300, -300, n));
    });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { heed: { memory } });
    (exports.run as (address: number) => void)(128);
    const seen = new DataView(memory.buffer, 128);
    expect([0, 1, 2, 3, 4].map((i) => seen.getInt32(4 * i, true))).toEqual([0, 1, 2, 3, 4]);
    expect(seen.getBigInt64(32, true)).toBe(-(2n ** 40n));
    expect(seen.getFloat64(40, true)).toBe(-0.1);
    expect(seen.getInt32(48, true)).toBe(300);
  });

  it('lets a function call another', () => {
    const module = new Module(
      { module: 'heed', name: 'memory', minimum: 1, shared: false },
      { checked: true },
    );
    module.function('run', ['i32'], 'i32', (code, x) => {
      const twice = module.function(undefined, ['i32'], 'i32', (inner, y) => {
        inner.op('i32.add', y, y);
      });
      code.op('i32.add', code.call(twice, x), 1);
    });
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), {
      heed: { memory },
    });
    expect((exports.run as (x: number) => number)(20)).toBe(41);
  });

  it('refuses operands of another type, missing ones and those left over', () => {
    expect(() => moduleOf((code) => code.set(code.local('i32'), code.f32(1) as never))).toThrow(
      'local.set: expected i32 on the stack, got f32.',
    );
    expect(() => moduleOf((code) => code.drop(code.op('i32.add', code.i32(1), code.i32(2))))).not.toThrow();
    expect(() => moduleOf((code, a) => code.drop(code.op('i32.add', a, code.i32(2))))).toThrow(
      'i32.add: operand 1 lies on the stack already',
    );
    expect(() =>
      moduleOf((code) => {
        const two = code.i32(2);
        code.drop(code.op('i32.sub', code.i32(1), two));
      }),
    ).toThrow('i32.sub: its operands lie on the stack in another order than they are given.');
    expect(() => moduleOf((code) => void code.i32(1))).toThrow('expected nothing on the stack, got i32');
    expect(() => moduleOf((code) => code.block(() => void code.i32(1)))).toThrow('1 operands are left over');
  });
});
