// A matrix product at every place of an image, over the places around it.

import { option } from '@heed/attention';
import { add, concat, matmul, pad, ShapeError, type Tensor, ValueError } from '@heed/tensor';
import { defineLayer } from '../define/define-layer.ts';
import { initialOption } from '../define/initial-option.ts';
import { constant } from '../initial/constant.ts';
import { glorotUniform } from '../initial/glorot.ts';

/**
 * y[b, i, j] = sum over r, s of W[:, :, r, s] x[b, i + r - (size - 1) / 2, j + s - (size - 1) / 2] + bias, with zeros beyond the edges: a
 * cross-correlation, [batch, height, width, in] to [batch, height, width, out]. PyTorch's `Conv2d` with `padding='same'`, but
 * channels come last.
 *
 * Parameters: `weight` [out, in, size, size], as in PyTorch, starts Glorot uniform; `bias` [out] starts at 0.
 *
 * The places around a place are laid side by side, so that size² times the image is in memory for a while.
 *
 * @throws ShapeError for anything but [batch, height, width, in]; ValueError for an even size.
 * @example convolution(device, { in: 3, out: 16, size: 3, seed: 1 })(image)
 */
export const convolution = defineLayer({
  name: 'convolution',
  options: {
    /** The features of a place that it is given. */
    in: option.integer({ min: 1 }),
    /** The features of a place that it gives. */
    out: option.integer({ min: 1 }),
    /** How many places the filter has either way: an odd number. */
    size: option.integer({ min: 1 }),
    /** Whether a trained vector is added. */
    bias: option.boolean({ default: true }),
    /** How the weight starts: `initial.glorotUniform()` if left out. */
    initial: initialOption,
  },
  make: (options, { parameter }) => {
    const { in: width, out, size } = options;
    if (size % 2 === 0)
      throw new ValueError(
        `convolution: the option "size" expects an odd number, so that a place is in the middle of its filter, got ${size}.`,
      );
    const weight = parameter('weight', [out, width, size, size], options.initial ?? glorotUniform());
    const bias = options.bias ? parameter('bias', [out], constant(0)) : null;
    const around = Array.from({ length: size }, (_, i) => i);
    const edge = [(size - 1) / 2, (size - 1) / 2] as const;
    return (image: Tensor): Tensor => {
      const [, height, columns] = image.shape as [number, number, number];
      if (image.rank !== 4 || image.shape[3] !== width) {
        throw new ShapeError(
          `convolution: expected [batch, height, width, in] with ${width} channels, got [${image.shape.join(', ')}].`,
        );
      }
      const padded = pad(image, [[0, 0], edge, edge, [0, 0]]);
      const seen = around.flatMap((r) =>
        around.map((s) => padded.slice(1, r, r + height).slice(2, s, s + columns)),
      );
      const filter = weight.permute([0, 2, 3, 1]).reshape([out, size * size * width]);
      const made = matmul(concat(seen, { axis: -1 }), filter, { transposeB: true });
      return bias ? add(made, bias) : made;
    };
  },
});
