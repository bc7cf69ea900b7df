// A trained row for each of a finite number of things.

import { option } from '@heed/attention';
import { DTypeError, notEqual, type Tensor, take, where } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { initialOption } from '../define/initial-option.ts';
import { normal } from '../initial/normal.ts';

/**
 * Row `ids` of a table: [...] of int32 to [..., width]. An id outside is a fault: the next `read` rejects.
 *
 * Parameter: `weight` [count, width], starts normal with deviation 1, as in PyTorch. The ids that equal `padding` give zeros
 * and no gradient.
 *
 * @throws DTypeError for ids that are not int32.
 * @example embedding(device, { count: 1000, width: 64, seed: 1 })(ids)
 */
export const embedding = defineLayer({
  name: 'embedding',
  options: {
    /** How many rows there are. */
    count: option.integer({ min: 1 }),
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** The id that stands for nothing. */
    padding: option.integer({ min: 0, optional: true }),
    /** How the table starts: `initial.normal({ deviation: 1 })` if left out. */
    initial: initialOption,
  },
  make: ({ count, width, padding, initial }, { parameter }) => {
    const weight = parameter('weight', [count, width], initial ?? normal({ deviation: 1 }));
    return (ids: Tensor): Tensor => {
      if (ids.dtype !== 'int32') {
        throw new DTypeError(
          `embedding: expected int32 ids, got ${ids}. Convert them with cast(ids, 'int32').`,
        );
      }
      const rows = take(weight, ids as Tensor<'int32'>);
      return padding === undefined ? rows : where(notEqual(ids, padding).unsqueeze(-1), rows, 0);
    };
  },
});
