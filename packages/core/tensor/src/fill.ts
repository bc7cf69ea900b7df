// One number everywhere.

import { asExpr, type Expr, Graph, index, input, ne, scalar } from '@heed/expr';
import type { DType } from './contract/dtype.ts';
import { dtypes } from './contract/dtype.ts';
import type { MapProgram } from './contract/program.ts';
import { dispatch } from './dispatch.ts';
import type { Tensor } from './tensor.ts';

const owner = {};

/** Writes one number (0 or 1 for bools) to every element of memory that nobody has seen yet. */
export function fill(where: string, into: Tensor, value: number): void {
  const { device, dtype, rank } = into;
  const program = device.remember(owner, `${dtype} ${rank}`, () => fillProgram(dtype, rank));
  dispatch(device, program, { where, inputs: {}, results: { out: { into } }, uniforms: { value } });
}

function fillProgram(dtype: DType, rank: number): MapProgram {
  const home = new Graph();
  const { element } = dtypes[dtype];
  const value = asExpr(input(home, 'value', element === 'float' ? scalar : index));
  const body: Expr = element === 'bool' ? ne(value as unknown as Expr<typeof index>, 0) : value;
  return {
    kind: 'map',
    rank,
    inputs: {},
    uniforms: { value: element === 'float' ? 'float' : 'int' },
    results: { out: { dtype, body } },
  };
}
