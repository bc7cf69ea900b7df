// Copies, and maps that write into memory made before: what joins, fills and packs are built from.

import { asExpr, type Expr, Graph, input } from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import type { MapProgram } from '../contract/program.ts';
import { build, dispatch } from '../dispatch.ts';
import { typeOf } from '../promote.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';

const owner = {};

function copyProgram(tensor: Tensor): MapProgram {
  const { dtype, rank, device } = tensor;
  return device.remember(owner, `${dtype} ${rank}`, () => {
    const body: Expr = asExpr(input(new Graph(), 'x', typeOf(dtype)));
    return { kind: 'map', rank, inputs: { x: dtype }, uniforms: {}, results: { out: { dtype, body } } };
  });
}

/** Writes `source` into memory that nobody has seen yet: a view of the same shape of a larger tensor. */
export function copyInto(where: string, source: Tensor, into: Tensor): void {
  dispatch(source.device, copyProgram(source), { where, inputs: { x: source }, results: { out: { into } } });
}

/** The same elements in memory of their own, row-major. */
export function copy<D extends DType>(tensor: Tensor<D>): Tensor<D> {
  const { device, shape, dtype } = tensor.use('copy');
  const out = build(device, 'copy', shape, dtype, (into) => copyInto('copy', tensor, into));
  record(device, {
    name: 'copy',
    inputs: [tensor],
    outputs: [out],
    vjp: ([gradient]) => [gradient as Tensor],
  });
  return out;
}

/** A tensor of the same elements that lies row-major without gaps: a view if it does so already, a copy if not. Records nothing. */
export function packed<D extends DType>(tensor: Tensor<D>): Tensor<D> {
  if (tensor.contiguous) return tensor.detach();
  return build(tensor.device, 'copy', tensor.shape, tensor.dtype, (into) => copyInto('copy', tensor, into));
}
