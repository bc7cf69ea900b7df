// Turbo: kernels compiled for vectors of 256 bits, if a trial shows that they compute the same and are faster.

import type { Machine } from '../../emit/machine.ts';
import { emitProbe, PROBE_INNER, PROBE_ROWS } from '../../emit/turbo-probe.ts';
import type { Compile } from '../threads/compile.ts';
import { builtin } from '../threads/host.ts';
import { performance } from '../threads/wait.ts';
import { compileEagerly } from './flags.ts';

/** A custom section named "turbo", which changes nothing. */
const MARK = [0, 6, 5, 0x74, 0x75, 0x72, 0x62, 0x6f];

/**
 * V8 keeps one copy of the code of equal bytes, whatever flags it was compiled with: the mark keeps turbo's apart from
 * that of a plain backend in the same process.
 */
export const compileTurbo: Compile = (bytes) => {
  const marked = new Uint8Array([...bytes, ...MARK]);
  return { module: compileEagerly(marked, true), bytes: marked };
};

/** V8's version from which on the pass works as kernels need it: that of Node 24. */
const V8 = 13.6;
/** What turbo must take at most of the plain kernel's time; on processors that gain it is about half. */
const GAIN = 0.75;
/** Times that the probe multiplies in one measurement (about 50 microseconds), and measurements, of which the best counts. */
const TIMES = 400;
const TRIES = 7;

/** @returns why turbo is not to be had, or null and what was measured. */
export function tryTurbo(
  machine: Machine,
  v8: number | null,
): { readonly refused: string | null; readonly note: string } {
  const no = (why: string) => ({ refused: why, note: `not turbo: ${why}` });
  if (!builtin('node:v8')) return no('only Node lets a program choose how V8 compiles');
  if (v8 === null || v8 < V8) return no(`it needs Node 24 (V8 ${V8}) or later`);
  if (!machine.relaxed) return no('it needs relaxed SIMD');
  try {
    const { plain, turbo, same } = trial(machine);
    if (!same) return no('its results differ from those of the plain kernel');
    const gain = `${(plain / turbo).toFixed(2)} times as fast as plain in a trial`;
    return turbo > plain * GAIN
      ? no(`it was ${gain}`)
      : { refused: null, note: `turbo: 256-bit vectors, ${gain}` };
  } catch (error) {
    return no((error as Error).message);
  }
}

/** Where the probe's panels and sums lie. */
const AT = { a: 1024, b16: 4096, b8: 8192, sums16: 12288, sums8: 13312 } as const;
const BYTES8 = PROBE_INNER * 8 * 4;
const SUMS8 = PROBE_ROWS * 8 * 4;

/** Times both, and compares what they compute. */
function trial(machine: Machine): { readonly plain: number; readonly turbo: number; readonly same: boolean } {
  const own = { ...machine, shared: false, maximumPages: 1 };
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  type Probe = (a: number, b: number, sums: number, times: number) => void;
  const ready = (module: WebAssembly.Module): Probe =>
    new WebAssembly.Instance(module, { heed: { memory } }).exports.run as Probe;
  const narrow = ready(compileEagerly(emitProbe(own, 8), false));
  const wide = ready(compileTurbo(emitProbe(own, 16)).module);
  const plain = (times: number): void => {
    for (const half of [0, 1]) narrow(AT.a, AT.b8 + half * BYTES8, AT.sums8 + half * SUMS8, times);
  };
  const turbo = (times: number): void => wide(AT.a, AT.b16, AT.sums16, times);
  fill(memory.buffer);
  plain(1);
  turbo(1);
  const same = agree(memory.buffer);
  const best = { plain: Infinity, turbo: Infinity };
  // By turns, so that whatever disturbs one disturbs the other.
  for (let i = 0; i < TRIES; i++) {
    for (const [name, run] of Object.entries({ plain, turbo })) {
      const begin = performance.now();
      run(TIMES);
      best[name as 'plain'] = Math.min(best[name as 'plain'], performance.now() - begin);
    }
  }
  return { ...best, same };
}

/** Numbers without a pattern, the same for both widths; no sums yet. */
function fill(buffer: ArrayBuffer): void {
  const number = (i: number): number => Math.sin(i * 12.9898) * 0.01;
  new Float32Array(buffer, AT.a, PROBE_INNER * PROBE_ROWS).forEach((_, i, a) => {
    a[i] = number(i);
  });
  new Float32Array(buffer, AT.b16, PROBE_INNER * 16).forEach((_, i, b) => {
    const [k, column] = [i >> 4, i & 15];
    b[i] = number(i + 0.5);
    new Float32Array(buffer, AT.b8 + (column >> 3) * BYTES8)[k * 8 + (column & 7)] = number(i + 0.5);
  });
}

/** Whether the sums of both are the same, bit for bit. */
function agree(buffer: ArrayBuffer): boolean {
  const sums = new Int32Array(buffer, AT.sums16, PROBE_ROWS * 16);
  return sums.every((bits, i) => {
    const [row, column] = [i >> 4, i & 15];
    const [half] = new Int32Array(buffer, AT.sums8 + (column >> 3) * SUMS8 + (row * 8 + (column & 7)) * 4, 1);
    return bits === half && bits !== 0;
  });
}
