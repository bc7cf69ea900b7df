// @heed/webgpu: WGSL, emitted at run time.

/// <reference lib="dom" />

export type { WebGpuBackend } from './device/backend.ts';
export { type BufferOptions, bufferOf, tensorFromBuffer } from './device/interop.ts';
export { type WebGpuOptions, type WebGpuPlugin, webgpu } from './device/open.ts';
export type { Profile, ProfiledDispatch, ProfiledRun } from './device/profile.ts';
