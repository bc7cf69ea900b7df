// The identity matrix.

import { tensor, ValueError } from '@heed/tensor';
import type { Initializer } from './initializer.ts';

/** 1 on the diagonal of a matrix, 0 elsewhere: a layer that starts as if it were not there. Needs no seed. */
export const identity = (): Initializer => ({
  kind: 'initializer',
  label: 'identity',
  draw: (device, shape, { dtype }) => {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined)
      throw new ValueError(`identity: expected a matrix, got [${shape.join(', ')}].`);
    const ones = Float64Array.from({ length: rows * columns }, (_, at) =>
      Number(Math.floor(at / columns) === at % columns),
    );
    return tensor(device, ones, { dtype, shape });
  },
});
