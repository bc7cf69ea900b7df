// @heed/cpu: WebAssembly SIMD, emitted at run time.

/// <reference path="./device/webassembly.d.ts" />

export { type CpuOptions, cpu } from './device/open.ts';
