// Parameters outside a device: typed arrays by name.

import { type ArrayOf, type Device, type DType, type Shape, type Tensor, tensor } from '@heed/tensor';
import type { Module, Parameters } from '../define/layer.ts';

/** The numbers of a tensor, row-major; floats of 16 bits are widened. */
export type TensorRecord = {
  readonly [D in DType]: { readonly dtype: D; readonly shape: Shape; readonly data: ArrayOf[D] };
}[DType];

/** Tensors by path, as plain data: what can be written to a file, stored, or sent. */
export type Arrays = Readonly<Record<string, TensorRecord>>;

/**
 * Reads all parameters of a layer off its device: `await save(layer)`. For a file see `toSafetensors`; for JSON, spread `data`
 * into arrays.
 */
export async function save({ parameters }: Pick<Module, 'parameters'>): Promise<Arrays> {
  const reading = Object.entries(parameters).map(async ([path, of]) => [path, await recordOf(of)] as const);
  return Object.fromEntries(await Promise.all(reading));
}

const recordOf = async (of: Tensor): Promise<TensorRecord> =>
  ({ dtype: of.dtype, shape: of.shape, data: await of.read() }) as TensorRecord;

/** The same as tensors on a device, not tracked: what is renamed or cut before `load`, or given to a layer as it is. */
export const tensorsOf = (device: Device, arrays: Arrays): Parameters =>
  Object.fromEntries(
    Object.entries(arrays).map(([path, { data, dtype, shape }]) => [
      path,
      tensor(device, data, { dtype, shape }),
    ]),
  );
