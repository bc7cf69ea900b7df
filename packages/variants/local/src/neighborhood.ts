// An image whose every place looks at the places around it.

import {
  type Attend,
  type AttentionOptions,
  attention,
  defineModifier,
  type Mask,
  option,
} from '@heed/attention';
import { add, at, floorDiv, maximum, minimum, mod, sub, table } from '@heed/expr';
import { neighborhood } from '@heed/masks';
import { attended, attending, defineLayer, initial, linear, type PartsCall, partOptions } from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { ShapeError, type Tensor, ValueError, type WeightsRequest } from '@heed/tensor';

/** What goes with the image of one call. */
export interface NeighborhoodCall extends PartsCall {
  /** Asks for the weights, whole or pooled. The output is the same either way. */
  readonly weights?: WeightsRequest;
}

/** What a call gives that asked for weights. */
export interface NeighborhoodResult {
  /** [batch, height, width, out]. */
  readonly output: Tensor;
  /** [batch, head, query, key] over places row by row, place (y, x) at y width + x; or pooled. */
  readonly weights: Tensor;
}

/** A layer of neighborhood attention over images [batch, height, width, channels], to be called. */
export interface Neighborhood {
  (
    image: Tensor,
    call: NeighborhoodCall & { readonly weights: true | { readonly pool: number } },
  ): NeighborhoodResult;
  (image: Tensor, call?: NeighborhoodCall): Tensor;
}

/** score + relative[head, rows from query to key + size - 1, columns likewise], in an image of so many columns. */
const relativePlace = defineModifier({
  name: 'relative-place',
  options: { size: option.integer({ min: 1 }), width: option.integer({ min: 1 }) },
  params: { relative: { type: table(2), along: ['head'], initial: 0 } },
  modify: ({ score, query, key, params }, { size, width }) => {
    // Places farther apart are masked, and read any entry.
    const entry = (of: typeof query) => maximum(minimum(add(of, size - 1), 2 * size - 2), 0);
    const down = sub(floorDiv(key, width), floorDiv(query, width));
    const across = sub(mod(key, width), mod(query, width));
    return add(score, at(params.relative, entry(down), entry(across)));
  },
});

/**
 * Attention of every place over the `size` x `size` places around it, with a trained number for each way they lie apart:
 * softmax(q_i . k_j / sqrt(headWidth) + B_(i, j)) over the neighbors j of i. Hassani, Walton, Li, Li, Shi 2023 (neighborhood attention
 * transformer, arXiv 2204.07143), section 3.1. At the edges of the image the window is shifted inwards, so that every place sees equally
 * many; with `edges: 'cut'` what lies outside is missing (Ramachandran et al. 2019, arXiv 1906.05909, without its zeros).
 * [batch, height, width, channels] to [batch, height, width, out], for images of any size, each of which has a kernel of its own:
 * whole tiles of places that do not see each other are skipped.
 *
 * Parameters: `query.weight`, `key.weight`, `value.weight` [channels, channels], `output.weight` [out, channels], Glorot uniform, with
 * biases that start at 0; `relative` (B) [heads, 2 size - 1, 2 size - 1], from the highest and leftmost on, normal with deviation 0.02.
 *
 * @throws ShapeError for anything but [batch, height, width, channels].
 * @example neighborhoodAttention(device, { channels: 64, heads: 4, size: 7, seed: 1 })(image)
 */
export const neighborhoodAttention = defineLayer({
  name: 'neighborhood',
  options: {
    /** The features of a place. */
    channels: option.integer({ min: 1 }),
    /** How many heads there are. */
    heads: option.integer({ min: 1, default: 1 }),
    /** How many places a window has either way: an odd number. */
    size: option.integer({ min: 1 }),
    /** What a window does at the edge of the image. */
    edges: option.oneOf('shift', 'cut'),
    /** Whether there is a trained number for each way that two places lie apart. */
    relative: option.boolean({ default: true }),
    /** The width of what comes out; `channels` if left out. */
    out: option.integer({ min: 1, optional: true }),
    /** Whether projections add a trained vector. */
    bias: option.boolean({ default: true }),
    ...partOptions,
  },
  make: (options, build) => {
    const { channels, heads, size, edges, relative, out = channels, bias } = options;
    if (channels % heads !== 0)
      throw new ValueError(`neighborhood: ${channels} channels are not divided by ${heads} heads.`);
    if (size % 2 === 0)
      throw new ValueError(
        `neighborhood: the option "size" expects an odd number, so that a place is in the middle of its window, got ${size}.`,
      );
    const width = channels / heads;
    const project = (name: string) => build.add(name, linear, { in: channels, out: channels, bias });
    const [query, key, value] = [project('query'), project('key'), project('value')];
    const output = build.add('output', linear, { in: channels, out, bias });
    const apart = [heads, 2 * size - 1, 2 * size - 1];
    const own = relative
      ? { relative: build.parameter('relative', apart, initial.normal({ deviation: 0.02 })) }
      : {};
    const masks = (
      Array.isArray(options.mask) ? options.mask : options.mask ? [options.mask] : []
    ) as readonly Mask[];
    const composed = (imageHeight: number, imageWidth: number): AttentionOptions => ({
      score: options.score ?? scaledDot(),
      normalizer: options.normalizer ?? softmax(),
      mask: [neighborhood({ height: imageHeight, width: imageWidth, size, edges }), ...masks],
      modifiers: [
        ...(relative ? [relativePlace({ size, width: imageWidth })] : []),
        ...(options.modifiers ?? []),
      ],
      reweight: options.reweight ?? [],
      dropout: options.dropout,
    });
    // Every size has the same trained tensors: those of the smallest declare them.
    const of = { heads, sizes: { feature: width, queryFeature: width, keyFeature: width } };
    const { call: callOf } = attending(build, 'attention', composed(1, 1), of, own);
    const known = new Map<string, Attend>();
    const attendOver = (imageHeight: number, imageWidth: number): Attend => {
      const size = `${imageHeight} x ${imageWidth}`;
      const attend = known.get(size) ?? attention(composed(imageHeight, imageWidth));
      known.set(size, attend);
      return attend;
    };

    return ((given: Tensor, call: NeighborhoodCall = {}) => {
      const [batch, imageHeight, imageWidth] = given.shape as [number, number, number];
      if (given.rank !== 4 || given.shape[3] !== channels) {
        throw new ShapeError(
          `neighborhood: expected [batch, height, width, channels] with ${channels} channels, got [${given.shape.join(', ')}].`,
        );
      }
      const places = imageHeight * imageWidth;
      const rows = given.reshape([batch, places, channels]);
      const split = (of: Tensor): Tensor => of.reshape([batch, places, heads, width]).permute([0, 2, 1, 3]);
      const { context, weights } = attended(
        attendOver(imageHeight, imageWidth),
        [split(query(rows)), split(key(rows)), split(value(rows))],
        callOf(call),
        call.weights ?? false,
      );
      const merged = context.permute([0, 2, 1, 3]).reshape([batch, places, channels]);
      const made = output(merged).reshape([batch, imageHeight, imageWidth, out]);
      return weights ? { output: made, weights } : made;
    }) as Neighborhood;
  },
});
