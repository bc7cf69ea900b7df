// Giving a layer other numbers.

import { didYouMean } from '@heed/expr';
import {
  cast,
  type Device,
  NameError,
  ShapeError,
  scope,
  Tensor,
  tensor,
  withoutGradients,
} from '@heed/tensor';
import type { Module } from '../define/layer.ts';
import type { TensorRecord } from './data.ts';

/**
 * Gives the parameters of a layer the numbers of a record with the same paths, converted to the parameters' dtypes. All or
 * nothing: a record that does not fit changes no parameter.
 *
 * @param from what `save` gave, what `fromSafetensors` read, or tensors on the layer's device; each parameter must be there, and
 *   nothing else.
 * @throws NameError for a path that is missing, or that the layer does not have; ShapeError for another shape.
 */
export function load(
  layer: Pick<Module, 'parameters'>,
  from: Readonly<Record<string, TensorRecord | Tensor>>,
): void {
  const { parameters } = layer;
  const paths = Object.keys(parameters);
  for (const path of Object.keys(from)) {
    if (Object.hasOwn(parameters, path)) continue;
    throw new NameError(
      `load: there is no parameter "${path}" in this layer.${didYouMean(path, paths)} It has ${paths.join(', ') || 'none'}.`,
    );
  }
  for (const [path, to] of Object.entries(parameters)) {
    const value = Object.hasOwn(from, path) ? from[path] : undefined;
    if (!value)
      throw new NameError(
        `load: "${path}" is missing. Given: ${Object.keys(from).join(', ') || 'nothing'}. To keep what the layer has, add layer.parameters['${path}'].`,
      );
    if (value.shape.join() === to.shape.join()) continue;
    const turned = value.shape.toReversed().join() === to.shape.join();
    throw new ShapeError(
      `load: "${path}" must be [${to.shape.join(', ')}], got [${value.shape.join(', ')}].${turned ? ' It looks transposed: Keras and TensorFlow store [in, out].' : ''}`,
    );
  }
  for (const [path, to] of Object.entries(parameters)) {
    const value = from[path] as TensorRecord | Tensor;
    if (value === to) continue;
    scope(to.device, () => withoutGradients(to.device, () => void to.assign(onDevice(to.device, value, to))));
  }
}

function onDevice(device: Device, value: TensorRecord | Tensor, { dtype }: Tensor): Tensor {
  const given =
    value instanceof Tensor ? value : tensor(device, value.data, { dtype: value.dtype, shape: value.shape });
  return given.dtype === dtype ? given : cast(given, dtype);
}
