// What the engine that runs us can do, found out by asking it.

import { BackendError } from '@heed/tensor';
import type { Machine } from '../emit/machine.ts';
import { Module } from '../emit/wasm/index.ts';

export interface Features {
  /** 128-bit vectors; every kernel needs them. */
  readonly simd: boolean;
  /** Relaxed SIMD: a product and a sum in one instruction. */
  readonly relaxed: boolean;
  /** Memory that threads share, and atomic instructions. */
  readonly shared: boolean;
  /** V8's version, major first; null in other engines. */
  readonly v8: number | null;
}

type Probe = Parameters<InstanceType<typeof Module>['function']>[3];

/** Whether a module whose one function is written so would be accepted. */
function accepts(write: Probe, shared = false): boolean {
  const memory = { module: 'heed', name: 'memory', minimum: 1, maximum: 1, shared };
  const module = new Module(memory);
  module.function(undefined, [], undefined, write);
  return WebAssembly.validate(module.bytes());
}

/** @throws BackendError where WebAssembly is missing or forbidden. */
export function detect(): Features {
  if (typeof WebAssembly !== 'object') {
    throw new BackendError(
      'cpu: open: this JavaScript engine has no WebAssembly. Use reference() of @heed/reference, which is slow and runs everywhere.',
    );
  }
  try {
    new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  } catch (cause) {
    throw new BackendError(
      `cpu: open: WebAssembly is forbidden here (${(cause as Error).message}). A content security policy must allow ` +
        "'wasm-unsafe-eval' in script-src; or use reference() of @heed/reference, which is slow and runs everywhere.",
      { cause },
    );
  }
  return {
    simd: accepts((code) => code.drop(code.op('f32x4.add', code.zero(), code.zero()))),
    relaxed: accepts((code) =>
      code.drop(code.op('f32x4.relaxed_madd', code.zero(), code.zero(), code.zero())),
    ),
    shared:
      typeof SharedArrayBuffer === 'function' &&
      accepts((code) => code.drop(code.access('i32.atomic.load', 0, code.i32(0))), true),
    v8: versionOfV8(),
  };
}

/** Where V8 tells its version: Node in `process`, browsers in the user agent (Chrome n has V8 n / 10). */
function versionOfV8(): number | null {
  const host = globalThis as {
    process?: { versions?: { v8?: string } };
    navigator?: { userAgent?: string };
  };
  const node = host.process?.versions?.v8;
  if (node) return Number.parseFloat(node);
  const chrome = /Chrom(?:e|ium)\/(\d+)/.exec(host.navigator?.userAgent ?? '');
  return chrome ? Number(chrome[1]) / 10 : null;
}

/**
 * The machine that kernels are written for. Tiles of 6 rows need a compiler that keeps the order of instructions, which in
 * V8 is that of version 13 and later; notes/wasm-prototype.md section 3 has the figures.
 */
export function machineOf(
  features: Features,
  wishes: {
    readonly relaxed: boolean;
    readonly shared: boolean;
    readonly maximumPages: number;
    readonly threads?: number;
  },
): Machine {
  const relaxed = features.relaxed && wishes.relaxed;
  return {
    relaxed,
    atomics: features.shared,
    tileRows: relaxed && features.v8 !== null && features.v8 >= 13 ? 6 : 4,
    shared: wishes.shared && features.shared,
    threads: wishes.threads ?? 1,
    maximumPages: wishes.maximumPages,
  };
}
