// Calls whose results share a buffer with their inputs, or with each other. Views do not overlap, but a shader may not write
// to a buffer that it has bound twice: what is read is copied beforehand, and what is written moves to its place afterwards.

import { bool, index as int, scalar, type Type, trace } from '@heed/expr';
import {
  type Call,
  type DType,
  dtypes,
  type MapProgram,
  rowMajor,
  sizeOfShape,
  type View,
} from '@heed/tensor';

export interface Apart {
  readonly call: Call;
  /** Pairs of a copy and the result that it belongs into. */
  readonly moves: readonly (readonly [from: View, to: View])[];
}

/** What making copies takes. */
export interface Copier {
  bufferOf(view: View): GPUBuffer;
  /** A view of the same elements in memory of their own, with what they hold. */
  copied(view: View): View;
  /** A view of as many elements in memory of their own, packed. */
  fresh(view: View): View;
}

/** The same call, with every result in a buffer of its own. */
export function setApart(call: Call, copier: Copier): Apart {
  const written = new Set<GPUBuffer>();
  const moves: (readonly [View, View])[] = [];
  const outputs = Object.entries(call.outputs).map(([name, view]): readonly [string, View] => {
    const buffer = copier.bufferOf(view);
    if (!written.has(buffer)) {
      written.add(buffer);
      return [name, view];
    }
    const fresh = copier.fresh(view);
    moves.push([fresh, view]);
    return [name, fresh];
  });
  const inputs = Object.entries(call.inputs).map(([name, view]) => [
    name,
    written.has(copier.bufferOf(view)) ? copier.copied(view) : view,
  ]);
  return {
    call: { ...call, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) },
    moves,
  };
}

const types: { readonly [E in 'float' | 'int' | 'bool']: Type } = { float: scalar, int, bool };

/** out = in, whatever the strides. */
export const copyProgram = (rank: number, dtype: DType): MapProgram => ({
  kind: 'map',
  rank,
  inputs: { in: dtype },
  uniforms: {},
  results: {
    out: {
      dtype,
      body: trace('copy', types[dtypes[dtype].element], (declare) =>
        declare('in', types[dtypes[dtype].element]),
      ),
    },
  },
});

/** A view's shape without gaps, in an allocation made for it. */
export const packed = (view: View, allocate: (bytes: number) => View['allocation']): View => ({
  allocation: allocate(Math.max(4, sizeOfShape(view.shape) * dtypes[view.dtype].bytes)),
  dtype: view.dtype,
  shape: view.shape,
  strides: rowMajor(view.shape),
  offset: 0,
});
