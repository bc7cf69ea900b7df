// A trained row for each position.

import { option } from '@heed/attention';
import { add, ShapeError, type Tensor, take, ValueError } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { initialOption } from '../define/initial-option.ts';
import { normal } from '../initial/normal.ts';
import { checkWidth } from '../layers/width.ts';
import type { Places } from './angles.ts';

/**
 * x + weight[position]: [..., length, width] to the same. Gehring et al. 2017 (arXiv 1705.03122), section 3.1; BERT, GPT-2.
 *
 * Parameter: `weight` [length, width], starts normal with deviation 0.02, as in GPT-2 and BERT.
 *
 * @throws ShapeError where the last axis of x is not `width`; ValueError for positions beyond the last (where `positions` are given,
 *   when a result is read).
 * @example learnedPositions(device, { length: 512, width: 64, seed: 1 })(x, { offset: 0 })
 */
export const learnedPositions = defineLayer({
  name: 'learned-positions',
  options: {
    /** How many positions there are. */
    length: option.integer({ min: 1 }),
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** How the rows start: `initial.normal({ deviation: 0.02 })` if left out. */
    initial: initialOption,
  },
  make: ({ length, width, initial }, { parameter }) => {
    const weight = parameter('weight', [length, width], initial ?? normal({ deviation: 0.02 }));
    return (x: Tensor, { offset: given, positions }: Places = {}): Tensor => {
      checkWidth('learned-positions', x, width);
      if (given !== undefined && positions)
        throw new ValueError(
          'learned-positions: offset and positions both say where rows stand. Give one of them.',
        );
      if (positions) return add(x, take(weight, positions as Tensor<'int32'>));
      const offset = given ?? 0;
      const rows = x.shape.at(-2);
      if (rows === undefined)
        throw new ShapeError(
          `learned-positions: expected [..., length, width], got [${x.shape.join(', ')}].`,
        );
      if (!Number.isInteger(offset) || offset < 0 || offset + rows > length) {
        throw new ValueError(
          `learned-positions: there are ${length} positions, and ${rows} rows from position ${offset} on need more. ` +
            'Make the layer with a greater length.',
        );
      }
      return add(x, weight.slice(0, offset, offset + rows));
    };
  },
});
