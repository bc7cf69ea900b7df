// What emission must know of a device. Plain data: shaders are emitted and tested without one.

/**
 * A product that a subgroup computes as one, of matrices m x k and k x n, in WGSL's names of types: factors of `component`
 * summed in `result`.
 */
export interface SubgroupMatrix {
  readonly component: string;
  readonly result: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export interface Machine {
  /** Storage buffers that one shader may bind. */
  readonly storageBuffers: number;
  /** Bytes that one storage binding may span. */
  readonly bindingBytes: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
  /** Invocations of a workgroup, in all and along x. */
  readonly invocations: number;
  /** Workgroups along one dimension of a dispatch. */
  readonly workgroups: number;
  /** Workgroups of about 64 invocations that keep all of it busy: more are worth some work that is done again. */
  readonly busy: number;
  /** Whether shaders may compute with and store 16-bit floats (`shader-f16`). */
  readonly half: boolean;
  /** The sizes that subgroups may have; null where there are no subgroup operations. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** The products of matrices that subgroups compute (`chromium-experimental-subgroup-matrix`); none where there are none. */
  readonly matrices: readonly SubgroupMatrix[];
}

/** What every WebGPU device offers: the defaults of the specification, no optional feature. */
export const least: Machine = {
  storageBuffers: 8,
  bindingBytes: 128 * 2 ** 20,
  workgroupBytes: 16384,
  invocations: 256,
  workgroups: 65535,
  busy: 512,
  half: false,
  subgroups: null,
  matrices: [],
};
