// What emission must know of a device that was opened.

import type { Machine } from '../emit/machine.ts';

/** Optional features that may be switched off. */
export interface Switches {
  readonly half: boolean;
  readonly subgroups: boolean;
}

/** Subgroups are as large as the device says; the specification's bounds where it does not. */
const sizesOf = ({ subgroupMinSize, subgroupMaxSize }: Partial<GPUAdapterInfo> = {}) => ({
  min: subgroupMinSize || 4,
  max: subgroupMaxSize || 128,
});

export function machineOf({ limits, features, adapterInfo }: GPUDevice, on: Switches): Machine {
  return {
    storageBuffers: limits.maxStorageBuffersPerShaderStage,
    bindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    invocations: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    workgroups: limits.maxComputeWorkgroupsPerDimension,
    half: on.half && features.has('shader-f16'),
    subgroups: on.subgroups && features.has('subgroups') ? sizesOf(adapterInfo) : null,
  };
}

/** The limits that emission makes use of. */
export const usefulLimits = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

export const usefulFeatures: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
