// What a job's failure means, as an error. An index outside its axis is found again: kernels only raise a flag.

import { BackendError, type Call, type HeedError, type Program, ValueError, type View } from '@heed/tensor';
import type { Failure } from './threads/job.ts';

/** The error that the next read rejects with. */
export function errorOf(failure: Failure, program: Program, call: Call): HeedError {
  const { kind } = program;
  if (failure.of === 'flag' && (kind === 'gather' || kind === 'scatter-add')) {
    const ints = new Int32Array(failure.watched.buffer);
    const error = faultOf(kind, program.outer, call, (at) => ints[at] as number);
    if (error) return error;
  }
  const what = {
    flag: () => 'the kernel raised a fault that cannot be found again',
    trap: ({ message }: Failure & { of: 'trap' }) =>
      `the kernel stopped (${message}); its results are not to be used`,
    loss: ({ message }: Failure & { of: 'loss' }) =>
      `${message}; its results are not to be used, run it again`,
  }[failure.of];
  return new BackendError(`cpu: ${kind}: ${what(failure as never)}.`);
}

/** The error for the first index, in row-major order, that lies outside; null where none does. */
function faultOf(
  kind: 'gather' | 'scatter-add',
  outer: number,
  call: Call,
  read: (at: number) => number,
): ValueError | null {
  const index = call.inputs.index as View;
  const table = (kind === 'gather' ? call.inputs.data : call.outputs.out) as View;
  const size = table.shape[outer] as number;
  const { shape, strides, offset } = index;
  const coordinates = shape.map(() => 0);
  const count = shape.reduce((all, one) => all * one, 1);
  for (let element = 0; element < count; element++) {
    const at = coordinates.reduce(
      (sum, coordinate, axis) => sum + coordinate * (strides[axis] as number),
      offset,
    );
    const named = read(at);
    if (named < 0 || named >= size) {
      return new ValueError(
        `${kind}: expected an index in [0, ${size}), got ${named} as element ${element} of index [${shape.join(', ')}].`,
      );
    }
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      coordinates[axis] = (coordinates[axis] as number) + 1;
      if ((coordinates[axis] as number) < (shape[axis] as number)) break;
      coordinates[axis] = 0;
    }
  }
  return null;
}
