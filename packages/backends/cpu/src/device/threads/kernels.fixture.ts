// For tests: kernels written by hand, and crews to give them to.

import { type Code, type Local, Module } from '../../emit/wasm/index.ts';
import type { Job, Loaded } from './job.ts';

const PAGES = 1024;
/** The first words of the memory: a frame, a flag, and what the kernels below make of them. */
export const PLACES = { frame: 128, flag: 64 } as const;
/** A word that helpers wait for to become 1. */
export const GATE = 256;
/** A word that they set to 1 when they come there. */
const BELL = 260;
const SCRATCH = 512;
export const OUT = 4096;

type Body = (code: Code, unit: Local<'i32'>, frame: Local<'i32'>, scratch: Local<'i32'>) => void;

/** A kernel that does this for each unit. */
function each(body: Body): Uint8Array<ArrayBuffer> {
  const memory = { module: 'heed', name: 'memory', minimum: 1, maximum: PAGES, shared: true };
  const module = new Module(memory, { checked: true });
  module.function('run', ['i32', 'i32', 'i32', 'i32'], undefined, (code, frame, begin, end, scratch) => {
    code.block((out) =>
      code.loop((again) => {
        code.branchIf(out, code.op('i32.ge_s', begin, end));
        body(code, begin, frame, scratch);
        code.set(begin, code.op('i32.add', begin, 1));
        code.branch(again);
      }),
    );
  });
  return module.bytes();
}

/** Adds the number in the frame's second word to word `unit` of the memory from the address in its first. */
const count: Body = (code, unit, frame) => {
  const at = code.let('i32', code.op('i32.add', code.op('i32.shl', unit, 2), code.load('i32.load', frame)));
  const sum = code.let('i32', code.op('i32.add', code.load('i32.load', at), code.load('i32.load', frame, 4)));
  code.access('i32.store', 0, at, sum);
};

/** The first thread waits until another has come to the gate; the others wait until it is opened. */
const wait: Body = (code, _, __, scratch) => {
  const until = (address: number): void =>
    code.loop((again) =>
      code.branchIf(again, code.op('i32.eqz', code.access('i32.atomic.load', address, code.i32(0)))),
    );
  code.if(
    code.op('i32.eq', scratch, SCRATCH),
    () => until(BELL),
    () => {
      code.access('i32.atomic.store', BELL, code.i32(0), code.i32(1));
      until(GATE);
    },
  );
};

export const sources = {
  count: each(count),
  /** As `count`, but helpers get no further than the gate. */
  gated: each((...all) => {
    wait(...all);
    count(...all);
  }),
  /** Traps in unit 7: a load from outside the memory. */
  trap: each((code, unit) =>
    code.if(code.op('i32.eq', unit, 7), () => code.drop(code.load('i32.load', code.i32(-16)))),
  ),
  /** Raises the flag in unit 3. */
  flag: each((code, unit) =>
    code.if(code.op('i32.eq', unit, 3), () =>
      code.access('i32.store', PLACES.flag, code.i32(0), code.i32(1)),
    ),
  ),
};

/** A job of so many units, each heavy enough to be shared out. */
export const jobOf = (kernel: Loaded, units: number, by = 1, more: Partial<Job> = {}): Job => ({
  kernel,
  frame: Int32Array.of(OUT, by),
  units,
  weight: 2 ** 18,
  scratch: SCRATCH,
  stride: 64,
  repeatable: true,
  watched: null,
  ...more,
});

export const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: PAGES, shared: true });
