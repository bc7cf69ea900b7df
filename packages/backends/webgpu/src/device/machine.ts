// What emission must know of a device that was opened.

import type { Machine, SubgroupMatrix } from '../emit/machine.ts';
import type { Found } from './find.ts';

/** Not in WebGPU yet, and so in no declarations. */
export const MATRIX = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

interface MatrixInfo extends GPUAdapterInfo {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** Optional features that may be switched off. */
export interface Switches {
  readonly half: boolean;
  readonly subgroups: boolean;
  readonly matrices: boolean;
}

/** Subgroups are as large as the device says; the specification's bounds where it does not. */
const sizesOf = ({ subgroupMinSize, subgroupMaxSize }: Partial<GPUAdapterInfo> = {}) => ({
  min: subgroupMinSize || 4,
  max: subgroupMaxSize || 128,
});

/** WebGPU does not say how much a device does at once: a few dozen multiprocessors, or the threads of a processor. */
const BUSY = { device: 512, processor: 16 };

/** Matrices of subgroups, as the machine has them with these switches. Their products are made of 16-bit floats. */
const matricesOf = ({ device: { features }, info }: Found, on: Switches): SubgroupMatrix[] => {
  if (!on.matrices || !on.half || !on.subgroups || !features.has(MATRIX)) return [];
  const { subgroupMatrixConfigs = [] } = info as MatrixInfo;
  return [...subgroupMatrixConfigs].map(({ componentType, resultComponentType, M, N, K }) => ({
    component: componentType,
    result: resultComponentType,
    m: M,
    n: N,
    k: K,
  }));
};

export function machineOf(found: Found, on: Switches): Machine {
  const { limits, features } = found.device;
  return {
    storageBuffers: limits.maxStorageBuffersPerShaderStage,
    bindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    invocations: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    workgroups: limits.maxComputeWorkgroupsPerDimension,
    busy: found.info.isFallbackAdapter ? BUSY.processor : BUSY.device,
    half: on.half && features.has('shader-f16'),
    subgroups: on.subgroups && features.has('subgroups') ? sizesOf(found.info) : null,
    matrices: matricesOf(found, on),
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

export const usefulFeatures: readonly GPUFeatureName[] = [
  'shader-f16',
  'subgroups',
  'timestamp-query',
  MATRIX,
];
