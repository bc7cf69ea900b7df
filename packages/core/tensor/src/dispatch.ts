// Dispatch: from tensors and a program to tensors. The only caller of `Backend.run`.

import type { View } from './contract/backend.ts';
import type { DType } from './contract/dtype.ts';
import type { Program } from './contract/program.ts';
import type { Device } from './device.ts';
import { BackendError } from './errors.ts';
import { type Layout, rowMajor, type Shape, sizeOfShape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** A result to be allocated, or an existing tensor (a view of a larger one, say) to be written into. */
export type ResultSpec =
  | { readonly shape: Shape; readonly dtype: DType }
  /** Memory that the caller made and has shown to nobody: neither an input of this call nor saved by a graph. */
  | { readonly into: Tensor };

/** An input: a tensor, or a tensor seen through another layout (repeated, permuted) without a handle of its own. */
export type Input = Tensor | { readonly of: Tensor; readonly as: Layout };

export interface DispatchOptions<Name extends string = string> {
  /** How messages name the operation; the kind of the program if left out. */
  readonly where?: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly results: Readonly<Record<Name, ResultSpec>>;
  readonly uniforms?: Readonly<Record<string, number>>;
  /** The lengths of an attention's axes. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/**
 * Runs a program on tensors and returns its results by name. Enqueues; waits for nothing. Records nothing: an operation
 * that has a gradient says so with `record`.
 *
 * @throws BackendError if the device does not support the program or a dtype, or an input lives on another device;
 *   OutOfMemoryError, after which nothing is left allocated; DisposedError for an input that was disposed.
 */
export function dispatch<Name extends string>(
  device: Device,
  program: Program,
  { where = program.kind, inputs, results, uniforms = {}, sizes = {} }: DispatchOptions<Name>,
): Record<Name, Tensor> {
  const kernel = device.kernel(where, program);
  const seen: Record<string, View> = {};
  for (const [name, given] of Object.entries(inputs)) {
    const input = given instanceof Tensor ? given : given.of;
    if (input.device !== device) {
      throw new BackendError(
        `${where}: input "${name}" lives on ${input.device.name}, expected ${device.name} (another device, or the same ` +
          'opened twice). Read it and make it anew with tensor(device, data).',
      );
    }
    seen[name] = input.viewFor(where, given instanceof Tensor ? given : given.as);
  }
  const outputs: Record<string, Tensor> = {};
  const made: Tensor[] = [];
  try {
    for (const [name, spec] of Object.entries<ResultSpec>(results)) {
      const target = 'into' in spec ? spec.into : allocate(device, where, spec.shape, spec.dtype);
      if (!('into' in spec)) made.push(target);
      outputs[name] = target;
    }
    // Nothing to compute, and nothing a backend could launch.
    if (Object.values(outputs).some(({ size }) => size > 0)) {
      const targets = Object.entries(outputs).map(([name, tensor]) => [name, tensor.viewFor(where)] as const);
      device.backend.run(kernel, { inputs: seen, outputs: Object.fromEntries(targets), uniforms, sizes });
    }
  } catch (problem) {
    for (const tensor of made) tensor.dispose();
    throw problem;
  }
  return outputs as Record<Name, Tensor>;
}

/** A new tensor whose content is arbitrary, for results that are written piece by piece. */
export function allocate<D extends DType>(device: Device, where: string, shape: Shape, dtype: D): Tensor<D> {
  const storage = device.allocate(where, dtype, sizeOfShape(shape));
  return new Tensor(device, storage, dtype, { shape, strides: rowMajor(shape), offset: 0 });
}

/** A new tensor that `write` fills piece by piece; nothing is left of it if that fails. */
export function build<D extends DType>(
  device: Device,
  where: string,
  shape: Shape,
  dtype: D,
  write: (out: Tensor<D>) => void,
): Tensor<D> {
  const out = allocate(device, where, shape, dtype);
  try {
    write(out);
    return out;
  } catch (problem) {
    out.dispose();
    throw problem;
  }
}
