// An image that attends to itself: every place sees every place.

import { option } from '@heed/attention';
import { attended, attending, defineLayer, initial, linear, type PartsCall, partOptions } from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import { add, mul, ShapeError, type Tensor, type WeightsRequest } from '@heed/tensor';

/** What goes with the image of one call. */
export interface ImageCall extends PartsCall {
  /** Asks for the weights, whole or pooled. The output is the same either way. */
  readonly weights?: WeightsRequest;
}

/** What a call gives that asked for weights. */
export interface ImageResult {
  /** [batch, height, width, channels]. */
  readonly output: Tensor;
  /** [batch, query, key] over places row by row, place (y, x) at y width + x; or pooled. */
  readonly weights: Tensor;
}

/** A layer of self-attention over images [batch, height, width, channels], to be called. */
export interface ImageAttention {
  (image: Tensor, call: ImageCall & { readonly weights: true | { readonly pool: number } }): ImageResult;
  (image: Tensor, call?: ImageCall): Tensor;
}

/**
 * y = gamma W_v (sum_j a_ij W_h x_j) + x_i, a = softmax((W_f x_j) . (W_g x_i)) over all places. Zhang, Goodfellow, Metaxas, Odena 2019
 * (SAGAN, arXiv 1805.08318), section 3; [batch, height, width, channels] to the same. The products are not scaled there.
 *
 * Parameters: `query.weight` (W_g), `key.weight` (W_f), `value.weight` (W_h) [hidden, channels], `output.weight` (W_v) [channels,
 * hidden], Glorot uniform; `gamma`, one number, starts at 0, so that the layer starts as if it were not there.
 *
 * Masks and modifiers see places row by row: place (y, x) is number y width + x.
 *
 * @throws ShapeError for anything but [batch, height, width, channels].
 * @example imageAttention(device, { channels: 64, seed: 1 })(image)
 */
export const imageAttention = defineLayer({
  name: 'image',
  options: {
    /** The features of a place. */
    channels: option.integer({ min: 1 }),
    /** The width in which places are compared and averaged; an eighth of `channels` if left out, as in the paper. */
    hidden: option.integer({ min: 1, optional: true }),
    ...partOptions,
  },
  make: (options, build) => {
    const { channels, hidden = Math.max(1, Math.floor(channels / 8)) } = options;
    const project = (name: string) => build.add(name, linear, { in: channels, out: hidden, bias: false });
    const [query, key, value] = [project('query'), project('key'), project('value')];
    const output = build.add('output', linear, { in: hidden, out: channels, bias: false });
    const gamma = build.parameter('gamma', [], initial.constant(0));
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: options.score ?? dot(),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        modifiers: options.modifiers ?? [],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: 1, sizes: { feature: hidden, queryFeature: hidden, keyFeature: hidden } },
    );
    return ((image: Tensor, call: ImageCall = {}) => {
      const [batch, height, width] = image.shape as [number, number, number];
      if (image.rank !== 4 || image.shape[3] !== channels) {
        throw new ShapeError(
          `image: expected [batch, height, width, channels] with ${channels} channels, got [${image.shape.join(', ')}].`,
        );
      }
      const places = image.reshape([batch, height * width, channels]);
      const { context, weights } = attended(
        attend,
        [query(places), key(places), value(places)],
        callOf(call),
        call.weights ?? false,
      );
      const out = add(image, mul(gamma, output(context)).reshape(image.shape));
      return weights ? { output: out, weights } : out;
    }) as ImageAttention;
  },
});
