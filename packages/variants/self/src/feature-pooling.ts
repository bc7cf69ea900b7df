// One weight for each feature of each row: attention in many dimensions.

import { option } from '@heed/attention';
import { attended, attending, defineLayer, linear, type PartsCall, partOptions } from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import { elementwise, ones, type Tensor } from '@heed/tensor';
import { elu } from './elu.ts';
import { lower, sequence } from './rows.ts';

/** What goes with the rows of one call. */
export interface FeaturePoolingCall extends PartsCall {
  /** Asks for the weights: what each feature of each row counts for. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface FeaturePoolingResult {
  /** [batch, width]. */
  readonly context: Tensor;
  /** [batch, key, width]: each feature's weights sum to one over the keys. */
  readonly weights: Tensor;
}

/** A layer with a weight for each feature, to be called with rows [batch, key, width], or [key, width]. */
export interface FeaturePooling {
  (rows: Tensor, call: FeaturePoolingCall & { readonly weights: true }): FeaturePoolingResult;
  (rows: Tensor, call?: FeaturePoolingCall): Tensor;
}

const { mask, normalizer, reweight, dropout } = partOptions;

/**
 * a_jf = softmax_j((W_2 elu(W_1 x_j + b_1) + b_2)_f), s_f = sum_j a_jf x_jf. Shen et al. 2018 (DiSAN, arXiv 1709.04696), section 3.2,
 * "source2token": the softmax is over the keys, for each feature by itself.
 *
 * To the operator each feature is a head of width one, so that masks, normalizers and dropout are the usual ones.
 *
 * Parameters: `hidden.weight` (W_1) [hidden, width], `logit.weight` (W_2) [width, hidden], Glorot uniform, with biases that start at 0.
 *
 * @throws ShapeError for rows of another width.
 * @example featurePooling(device, { width: 64, seed: 1 })(words)
 */
export const featurePooling = defineLayer({
  name: 'feature-pooling',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** The width of the layer that judges; `width` if left out. */
    hidden: option.integer({ min: 1, optional: true }),
    ...{ mask, normalizer, reweight, dropout },
  },
  make: (options, build) => {
    const { width, hidden: between = width } = options;
    const hidden = build.add('hidden', linear, { in: width, out: between });
    const logit = build.add('logit', linear, { in: between, out: width });
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: dot(),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: width, sizes: { feature: 1, queryFeature: 1, keyFeature: 1 } },
    );
    /** [batch, key, width] to [batch, head, key, 1]. */
    const asHeads = (of: Tensor): Tensor => of.transpose().unsqueeze(-1);
    return ((rows: Tensor, call: FeaturePoolingCall = {}) => {
      const { x, batched } = sequence('feature-pooling', rows, width);
      const logits = logit(elementwise('elu', elu, [hidden(x)]));
      const one = ones(x.device, [1, width, 1, 1], { dtype: logits.dtype });
      const { context, weights } = attended(
        attend,
        [one, asHeads(logits), asHeads(x)],
        callOf(call),
        call.weights ?? false,
      );
      const own = lower(context.reshape([-1, width]), batched);
      return weights ? { context: own, weights: lower(weights.squeeze(2).transpose(), batched) } : own;
    }) as FeaturePooling;
  },
});
