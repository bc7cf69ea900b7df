// For tests: a function of src/emit/math run over arrays.

import { detect } from '../../device/features.ts';
import { KernelWriter } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import type { Lanes, Simd } from '../simd.ts';

const plain: Machine = {
  relaxed: false,
  atomics: false,
  tileRows: 4,
  shared: false,
  threads: 1,
  maximumPages: 65536,
};

/** Machines that this engine can play: without relaxed SIMD always, with it where there is any. */
export const machines: readonly Machine[] = [
  ...(detect().relaxed ? [{ ...plain, relaxed: true, atomics: true, tileRows: 6 } as const] : []),
  // Three shares of work, done in any order.
  { ...plain, threads: 3 },
];
export const machine = machines[0] as Machine;
/** Tiles as wide as turbo has them: as right without it, only slower. */
export const wide: Machine = { ...machine, turbo: true };

type LaneFunction = (s: Simd, ...args: readonly Lanes[]) => Lanes;
type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Makes a function of arrays, whose lengths are multiples of 8, out of a function of lanes. */
export function onArrays(
  f: LaneFunction,
  count: number,
  on: Machine = machine,
): (...args: readonly Numbers[]) => ArrayBuffer {
  const writer = new KernelWriter(on, true);
  const { bytes, constants } = writer.run(({ code, frame, end, pool }) => {
    const s = writer.simd(code, pool, 2);
    const at = code.local('i32');
    code.loop((again) => {
      // Array k lies k * end bytes behind the frame's second line.
      const vectors = (k: number) =>
        [0, 16].map((offset) => {
          const from = code.op('i32.add', code.op('i32.add', code.op('i32.mul', end, k), frame), at);
          return code.let('v128', code.load('v128.load', from, 16 + offset));
        });
      const out = f(s, ...Array.from({ length: count }, (_, k) => vectors(k)));
      [0, 1].forEach((i) => {
        const to = code.op('i32.add', code.op('i32.add', code.op('i32.mul', end, count), frame), at);
        code.access('v128.store', 16 + 16 * i, to, s.vector(out, i));
      });
      code.set(at, code.op('i32.add', at, 32));
      code.branchIf(again, code.op('i32.lt_u', at, end));
    });
  });
  if (!WebAssembly.validate(bytes)) throw new Error('The module is not valid.');
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { heed: { memory } });
  const run = instance.exports.run as (frame: number, begin: number, end: number, scratch: number) => void;
  return (...args) => {
    const size = (args[0] as Numbers).byteLength;
    const frame = 65536;
    const needed = frame + 16 + (count + 1) * size;
    const pages = Math.ceil(needed / 65536);
    const now = memory.buffer.byteLength / 65536;
    if (pages > now) memory.grow(pages - now);
    new Int32Array(memory.buffer, 64).set(constants);
    new Int32Array(memory.buffer, frame)[0] = 64;
    args.forEach((arg, k) => {
      new Uint8Array(memory.buffer, frame + 16 + k * size).set(
        new Uint8Array(arg.buffer, arg.byteOffset, size),
      );
    });
    run(frame, 0, size, 0);
    return memory.buffer.slice(frame + 16 + count * size, frame + 16 + (count + 1) * size);
  };
}
