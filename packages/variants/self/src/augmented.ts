// A convolution, and beside it an image that attends to itself.

import { type Attend, type AttentionOptions, attention, defineModifier, option } from '@heed/attention';
import { add, div, floorDiv, mat, matvec, maximum, minimum, mod, pick, sqrt, sub, toInt } from '@heed/expr';
import {
  attended,
  attending,
  convolution,
  defineLayer,
  initial,
  linear,
  type PartsCall,
  partOptions,
} from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { concat, ShapeError, type Tensor, ValueError, type WeightsRequest } from '@heed/tensor';

/** What goes with the image of one call. */
export interface AugmentedCall extends PartsCall {
  /** Asks for the weights, whole or pooled. The output is the same either way. */
  readonly weights?: WeightsRequest;
}

/** What a call gives that asked for weights. */
export interface AugmentedResult {
  /** [batch, height, width, out]: what the convolution gives first, then what attention does. */
  readonly output: Tensor;
  /** [batch, head, query, key] over places row by row, place (y, x) at y width + x; or pooled. */
  readonly weights: Tensor;
}

/** A layer of attention-augmented convolution over images [batch, height, width, in], to be called. */
export interface AugmentedConvolution {
  (
    image: Tensor,
    call: AugmentedCall & { readonly weights: true | { readonly pool: number } },
  ): AugmentedResult;
  (image: Tensor, call?: AugmentedCall): Tensor;
}

/**
 * score + q . (down[rows apart] + across[columns apart]) / sqrt(feature), both cut to what there is a vector for, in an image of so
 * many columns.
 */
const relativeLogits = defineModifier({
  name: 'relative-logits',
  options: { width: option.integer({ min: 1 }) },
  sizes: { apart: 1 },
  params: { down: mat('apart', 'queryFeature'), across: mat('apart', 'queryFeature') },
  modify: ({ score, q, query, key, params, size }, { width }) => {
    const last = sub(toInt(size('apart')), 1);
    const entry = (of: typeof query) => maximum(minimum(add(of, floorDiv(last, 2)), last), 0);
    const rows = entry(sub(floorDiv(key, width), floorDiv(query, width)));
    const columns = entry(sub(mod(key, width), mod(query, width)));
    const logits = add(pick(matvec(params.down, q), rows), pick(matvec(params.across, q), columns));
    return add(score, div(logits, sqrt(size('queryFeature'))));
  },
});

/**
 * concat(Conv(x), MHA(x)): a part of the output's features comes from a convolution, the rest from several heads of attention over all
 * places of the image, with scores (q_i . (k_j + r_(columns apart) + r_(rows apart))) / sqrt(headWidth). Bello, Zoph, Vaswani, Shlens, Le
 * 2019 (attention augmented convolutional networks, arXiv 1904.09925), section 3, equations 1 to 5. [batch, height, width, in] to
 * [batch, height, width, out], for images of any size.
 *
 * Parameters: `convolution.weight` [out - attended, in, size, size]; `query.weight`, `key.weight` [hidden, in], `value.weight` [attended,
 * in], `output.weight` (W_O) [attended, attended], Glorot uniform, with biases that start at 0; with `reach`, `down` (r_H) and
 * `across` (r_W) [2 reach + 1, headWidth], shared by all heads, from the farthest above and left on, normal with deviation 1 /
 * sqrt(headWidth).
 *
 * @throws ShapeError for anything but [batch, height, width, in].
 * @example augmentedConvolution(device, { in: 64, out: 64, attended: 16, hidden: 16, heads: 4, size: 3, reach: 31, seed: 1 })(image)
 */
export const augmentedConvolution = defineLayer({
  name: 'augmented-convolution',
  options: {
    /** The features of a place that it is given. */
    in: option.integer({ min: 1 }),
    /** The features of a place that it gives. */
    out: option.integer({ min: 1 }),
    /** How many of these come from attention: the paper's d_v. */
    attended: option.integer({ min: 1 }),
    /** The width in which places are compared, for all heads together: d_k; as `attended` if left out. */
    hidden: option.integer({ min: 1, optional: true }),
    /** How many heads there are. */
    heads: option.integer({ min: 1, default: 1 }),
    /** How many places the filter has either way: an odd number. */
    size: option.integer({ min: 1 }),
    /**
     * How far apart places are told apart, in rows and in columns, by trained vectors; no positions if left out. The paper has
     * as many as the image needs: its height or width less 1.
     */
    reach: option.integer({ min: 0, optional: true }),
    ...partOptions,
  },
  make: (options, build) => {
    const { in: width, out, attended: own, hidden = own, heads, size, reach } = options;
    if (own >= out)
      throw new ValueError(
        `augmented-convolution: ${own} of ${out} features come from attention, and none is left for the convolution. Take less, or ` +
          'multi-head attention alone.',
      );
    if (own % heads !== 0 || hidden % heads !== 0)
      throw new ValueError(
        `augmented-convolution: attended and hidden must be divided by ${heads} heads, got ${own} and ${hidden}.`,
      );
    const filter = build.add('convolution', convolution, { in: width, out: out - own, size });
    const project = (name: string, to: number, from = width) =>
      build.add(name, linear, { in: from, out: to });
    const [query, key] = [project('query', hidden), project('key', hidden)];
    const [value, output] = [project('value', own), project('output', own, own)];
    const headWidth = hidden / heads;
    const vectors = (name: string) =>
      build.parameter(
        name,
        [2 * (reach as number) + 1, headWidth],
        initial.normal({ deviation: 1 / Math.sqrt(headWidth) }),
      );
    const relative = reach === undefined ? null : { down: vectors('down'), across: vectors('across') };
    const composed = (imageWidth: number): AttentionOptions => ({
      score: options.score ?? scaledDot(),
      normalizer: options.normalizer ?? softmax(),
      mask: options.mask ?? [],
      modifiers: [...(relative ? [relativeLogits({ width: imageWidth })] : []), ...(options.modifiers ?? [])],
      reweight: options.reweight ?? [],
      dropout: options.dropout,
    });
    // Every width has the same trained tensors: those of the smallest declare them.
    const of = { heads, sizes: { feature: headWidth, queryFeature: headWidth, keyFeature: headWidth } };
    const { call: callOf } = attending(build, 'attention', composed(1), of, relative ?? {});
    const known = new Map<number, Attend>();
    const attendOver = (imageWidth: number): Attend => {
      const attend = known.get(imageWidth) ?? attention(composed(imageWidth));
      known.set(imageWidth, attend);
      return attend;
    };

    return ((image: Tensor, call: AugmentedCall = {}) => {
      const [batch, height, imageWidth] = image.shape as [number, number, number];
      if (image.rank !== 4 || image.shape[3] !== width) {
        throw new ShapeError(
          `augmented-convolution: expected [batch, height, width, in] with ${width} channels, got [${image.shape.join(', ')}].`,
        );
      }
      const places = height * imageWidth;
      const rows = image.reshape([batch, places, width]);
      const split = (of: Tensor): Tensor =>
        of.reshape([batch, places, heads, (of.shape[2] as number) / heads]).permute([0, 2, 1, 3]);
      const { context, weights } = attended(
        attendOver(imageWidth),
        [split(query(rows)), split(key(rows)), split(value(rows))],
        callOf(call),
        call.weights ?? false,
      );
      const merged = output(context.permute([0, 2, 1, 3]).reshape([batch, places, own]));
      const made = concat([filter(image), merged.reshape([batch, height, imageWidth, own])], { axis: -1 });
      return weights ? { output: made, weights } : made;
    }) as AugmentedConvolution;
  },
});
