// Positions as waves of many lengths.

import { option } from '@heed/attention';
import {
  add,
  cast,
  cos,
  type FloatDType,
  ShapeError,
  sin,
  stack,
  type Tensor,
  ValueError,
} from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { checkWidth } from '../layers/width.ts';
import { angles, frequencies, type Places } from './angles.ts';

/**
 * x + table, with table[position, 2i] = sin(position / base^(2i / width)) and [position, 2i + 1] the cosine: [..., length,
 * width] to the same. Vaswani et al. 2017 (arXiv 1706.03762), section 3.5. Nothing is trained.
 *
 * @throws ShapeError where the last axis of x is not `width`; ValueError for an odd width.
 * @example sinusoidal(device, { width: 64 })(x, { offset: 0 })
 */
export const sinusoidal = defineLayer({
  name: 'sinusoidal',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 2 }),
    /** The longest wave is 2 pi base positions long. */
    base: option.number({ min: 1, open: true, default: 10000 }),
  },
  make: ({ width, base }) => {
    if (width % 2 !== 0) throw new ValueError(`sinusoidal: expected an even width, got ${width}.`);
    const rates = frequencies(width, base);
    return (x: Tensor, places: Places = {}): Tensor => {
      checkWidth('sinusoidal', x, width);
      const length = x.shape.at(-2);
      if (length === undefined)
        throw new ShapeError(`sinusoidal: expected [..., length, width], got [${x.shape.join(', ')}].`);
      const at = angles('sinusoidal', x.device, rates, length, x.dtype as FloatDType, places);
      const table = stack([sin(at), cos(at)], { axis: -1 }).reshape([...at.shape.slice(0, -1), width]);
      return add(x, cast(table, x.dtype));
    };
  },
});
