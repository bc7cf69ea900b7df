// A sequence whose every feature looks for itself, one way along the sequence.

import { defineScore, type Mask, option } from '@heed/attention';
import { add, div, mul, sum, tanh } from '@heed/expr';
import { causal, except, window } from '@heed/masks';
import { attended, attending, defineLayer, linear, type PartsCall, partOptions } from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { elementwise, add as plus, sigmoid, sub, type Tensor, mul as times } from '@heed/tensor';
import { elu } from './elu.ts';
import { lower, sequence } from './rows.ts';

/** What goes with the rows of one call. */
export interface DirectionalCall extends PartsCall {
  /** Asks for the weights: what each feature of each row counts for to each row. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface DirectionalResult {
  /** [batch, length, hidden]. */
  readonly output: Tensor;
  /** [batch, query, key, hidden]: each feature's weights sum to one over the keys, or are all 0 where there are none. */
  readonly weights: Tensor;
}

/** A layer with a direction, to be called with rows [batch, length, width], or [length, width]. */
export interface Directional {
  (rows: Tensor, call: DirectionalCall & { readonly weights: true }): DirectionalResult;
  (rows: Tensor, call?: DirectionalCall): Tensor;
}

/** c tanh((q + k) / c), for rows of one feature. */
const bounded = defineScore({
  name: 'bounded-sum',
  options: { bound: option.number({ min: 0, open: true }) },
  score: ({ q, k }, { bound }) => mul(tanh(div(sum(add(q, k)), bound)), bound),
});

const { mask, normalizer, reweight, dropout } = partOptions;

/** No row looks for itself in itself. */
const others = () => except(window({ left: 0, right: 0, align: 'start' }));

const directions = {
  forward: () => [causal({ align: 'start' }), others()],
  backward: () => [except(causal({ align: 'start' }))],
  both: () => [others()],
} as const satisfies Record<string, () => readonly Mask[]>;

/**
 * h_i = elu(W_h x_i + b_h); s_i = sum_j P_ij * h_j with P_ijf = softmax_j(c tanh((W_1 h_j + W_2 h_i + b_1)_f / c)), the softmax over the
 * keys for each feature f by itself; and out comes F * h_i + (1 - F) * s_i with the gate F = sigmoid(W_s s_i + W_g h_i + b). Shen et
 * al. 2018 (DiSAN, arXiv 1709.04696), sections 3.3 and 4, "token2token" with positional masks: `'forward'` sees what is
 * before a row, `'backward'` what is after it, and no row sees itself. Where nothing is seen s_i is 0.
 *
 * Two of these, forward and backward, side by side, and `featurePooling` over both, are the paper's sentence encoder. To the operator
 * each feature is a head of width one, so that no tensor of query x key x feature is made unless the weights are asked for.
 *
 * Parameters: `hidden.weight` (W_h) [hidden, width], `key.weight` (W_1), `query.weight` (W_2), `gate.context.weight` (W_s),
 * `gate.row.weight` (W_g) [hidden, hidden], Glorot uniform (the authors' code), with `hidden.bias`, `key.bias` (b_1) and
 * `gate.row.bias` (b), which start at 0.
 *
 * @throws ShapeError for rows of another width.
 * @example directionalAttention(device, { width: 64, direction: 'forward', seed: 1 })(words)
 */
export const directionalAttention = defineLayer({
  name: 'directional',
  options: {
    /** The width of a row. */
    width: option.integer({ min: 1 }),
    /** The width of what comes out; `width` if left out. */
    hidden: option.integer({ min: 1, optional: true }),
    /** Which rows a row sees. */
    direction: option.oneOf('forward', 'backward', 'both'),
    /** The paper's c: how large a score may be. */
    bound: option.number({ min: 0, open: true, default: 5 }),
    ...{ mask, normalizer, reweight, dropout },
  },
  make: (options, build) => {
    const { width, hidden = width, direction, bound } = options;
    const inner = { in: hidden, out: hidden };
    const layer = build.add('hidden', linear, { in: width, out: hidden });
    const key = build.add('key', linear, inner);
    const query = build.add('query', linear, { ...inner, bias: false });
    const gate = {
      context: build.add('gate.context', linear, { ...inner, bias: false }),
      row: build.add('gate.row', linear, inner),
    };
    const masks = (
      Array.isArray(options.mask) ? options.mask : options.mask ? [options.mask] : []
    ) as readonly Mask[];
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: bounded({ bound }),
        normalizer: options.normalizer ?? softmax(),
        mask: [...directions[direction](), ...masks],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: hidden, sizes: { feature: 1, queryFeature: 1, keyFeature: 1 } },
    );
    /** [batch, length, hidden] to [batch, head, length, 1]. */
    const asHeads = (of: Tensor): Tensor => of.transpose().unsqueeze(-1);
    return ((rows: Tensor, call: DirectionalCall = {}) => {
      const { x, batched } = sequence('directional', rows, width);
      const h = elementwise('elu', elu, [layer(x)]);
      const { context, weights } = attended(
        attend,
        [asHeads(query(h)), asHeads(key(h)), asHeads(h)],
        callOf(call),
        call.weights ?? false,
      );
      const s = context.squeeze(-1).transpose();
      const open = sigmoid(plus(gate.context(s), gate.row(h)));
      // F h + (1 - F) s, with one product.
      const output = lower(plus(s, times(open, sub(h, s))), batched);
      return weights ? { output, weights: lower(weights.permute([0, 2, 3, 1]), batched) } : output;
    }) as Directional;
  },
});
