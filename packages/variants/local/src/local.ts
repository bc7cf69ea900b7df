// Luong's local attention: only the keys near one place are looked at.

import { type Mask, option, type Reweight } from '@heed/attention';
import { local, localGaussian, window as slidingWindow } from '@heed/masks';
import {
  attended,
  attending,
  type Builder,
  decoderRows,
  defineLayer,
  initial,
  linear,
  type Memory,
  type PartsCall,
  partOptions,
  remembering,
} from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import {
  cast,
  concat,
  div,
  gt,
  matmul,
  mul,
  ones,
  sigmoid,
  type Tensor,
  tanh,
  ValueError,
  where,
} from '@heed/tensor';
import { cut } from './cut.ts';

/** What goes with the rows of one call. */
export interface LocalCall extends PartsCall {
  /** Local-m: the step of the first query; 0 if left out. */
  readonly offset?: number;
  /** Asks for the weights, and for the places of local-p. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface LocalResult {
  /** [batch, memoryWidth], or [batch, query, memoryWidth]. */
  readonly context: Tensor;
  /** [batch, key], or [batch, query, key]; 0 beyond the window. */
  readonly weights: Tensor;
  /** Local-p: where the window was, in keys, [batch] or [batch, query]. */
  readonly places?: Tensor;
}

/** A layer of Luong's local attention, to be called for a step of a decoder, or for many at once. */
export interface Local {
  /**
   * @param query [batch, queryWidth], the decoder's state after the step; or [batch, query, queryWidth].
   * @param memory [batch, key, memoryWidth], or what `remember` made of it.
   */
  (query: Tensor, memory: Tensor | Memory, call: LocalCall & { readonly weights: true }): LocalResult;
  (query: Tensor, memory: Tensor | Memory, call?: LocalCall): Tensor;
  /** Projects the memory once, for all steps of a decoder. */
  readonly remember: (memory: Tensor) => Memory;
}

/**
 * Attention over the keys within `window` of a place p. Luong, Pham, Manning 2015 (arXiv 1508.04025), section 3.2.
 *
 * - `'local-m'`: p is the step itself, `offset` + query.
 * - `'local-p'`: p = S sigmoid(v_p . tanh(W_p h)), with S the number of keys (or `inputs.lengths`), and weights are multiplied by
 *   exp(-(key - p)² / (2 sigma²)), sigma = window / 2. They are not normalised again unless `renormalize` says so. The edge of
 *   the window has no gradient: p learns through the Gaussian.
 *
 * The paper leaves open over what the softmax runs: over the window (`over: 'window'`, as the size of its a_t suggests), or over
 * all keys, with weights beyond the window cut (`over: 'all'`).
 *
 * Parameters: `memory.weight` (W_a of "general") [queryWidth, memoryWidth], `place.weight` (W_p) [hidden, queryWidth] and `place.v`
 * [hidden] of local-p; those of the score. Glorot uniform, `place.v` normal.
 *
 * @throws ShapeError for rows of another width.
 * @example localAttention(device, { kind: 'local-p', queryWidth: 32, memoryWidth: 64, window: 10, seed: 1 })(state, states)
 */
export const localAttention = defineLayer({
  name: 'local',
  options: {
    /** Whether the place is the step, or predicted from the query. */
    kind: option.oneOf('local-m', 'local-p'),
    /** The width of a decoder's state. */
    queryWidth: option.integer({ min: 1 }),
    /** The width of a row of the memory. */
    memoryWidth: option.integer({ min: 1 }),
    /** How far a key may lie from the place: the paper's D, 10 there. */
    window: option.integer({ min: 1 }),
    /** Local-p: the Gaussian's deviation in keys; window / 2 if left out. */
    sigma: option.number({ min: 0, open: true, optional: true }),
    /** Local-p: the width of the layer that predicts; `queryWidth` if left out. */
    hidden: option.integer({ min: 1, optional: true }),
    /** Over which keys the normalizer runs. */
    over: option.oneOf('window', 'all'),
    /** Whether the weights of a row are made to sum to one again. */
    renormalize: option.boolean({ default: false }),
    /** Whether the memory is projected to the query's width before it is compared: "general". */
    project: option.boolean({ default: true }),
    ...partOptions,
  },
  make: (options, build) => {
    const { kind, queryWidth, memoryWidth, renormalize } = options;
    const project = options.project
      ? build.add('memory', linear, { in: memoryWidth, out: queryWidth, bias: false })
      : null;
    const predict = kind === 'local-p' ? predictor(build, queryWidth, options.hidden ?? queryWidth) : null;
    const masks = (
      Array.isArray(options.mask) ? options.mask : options.mask ? [options.mask] : []
    ) as readonly Mask[];
    const near = nearby(kind, options.over, options.window, options.sigma ?? options.window / 2);
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: options.score ?? dot(),
        normalizer: options.normalizer ?? softmax(),
        mask: [...masks, ...near.mask],
        modifiers: options.modifiers ?? [],
        reweight: [...near.reweight, ...(options.reweight ?? [])],
        dropout: options.dropout,
      },
      {
        heads: 1,
        sizes: {
          feature: queryWidth,
          queryFeature: queryWidth,
          keyFeature: project ? queryWidth : memoryWidth,
        },
      },
    );

    const remember = remembering('local', memoryWidth, project);

    const layer = (query: Tensor, memory: Tensor | Memory, call: LocalCall = {}): Tensor | LocalResult => {
      const { rows, step } = decoderRows('local', query, queryWidth);
      if (predict && call.offset !== undefined)
        throw new ValueError(
          'local: offset is the step of local-m; local-p predicts its place. Leave it out.',
        );
      const { key, value } = 'kind' in memory ? memory : remember(memory);
      const places = predict?.(rows, key, call.inputs?.lengths);
      const { context, weights } = attended(
        attend,
        [rows, key, renormalize ? withOnes(value) : value],
        callOf({
          ...call,
          ...(places ? { inputs: { ...call.inputs, centers: places.unsqueeze(1) } } : {}),
          ...(predict ? {} : { uniforms: { ...call.uniforms, offset: call.offset ?? 0 } }),
        }),
        call.weights ?? false,
      );
      const total = renormalize ? context.slice(-1, memoryWidth) : null;
      const own = total ? shares(context.slice(-1, 0, memoryWidth), total) : context;
      const lower = (of: Tensor) => (step ? of.squeeze(1) : of);
      if (!weights) return lower(own);
      return {
        context: lower(own),
        weights: lower(total ? shares(weights, total) : weights),
        ...(places ? { places: lower(places) } : {}),
      };
    };
    return Object.assign(layer, { remember }) as Local;
  },
});

/** S sigmoid(v_p . tanh(W_p h)) for each query, [batch, query]. */
function predictor(build: Builder, width: number, hidden: number) {
  const through = build.add('place', linear, { in: width, out: hidden, bias: false });
  const v = build.parameter('place.v', [hidden], initial.normal({ deviation: 1 / Math.sqrt(hidden) }));
  return (rows: Tensor, key: Tensor, lengths: Tensor | undefined): Tensor => {
    const share = sigmoid(matmul(tanh(through(rows)), v));
    return lengths ? mul(share, cast(lengths, rows.dtype).unsqueeze(-1)) : mul(share, key.shape[1] as number);
  };
}

/** What confines attention to the window, before or after normalising. */
function nearby(
  kind: 'local-m' | 'local-p',
  over: 'window' | 'all',
  window: number,
  sigma: number,
): { readonly mask: readonly Mask[]; readonly reweight: readonly Reweight[] } {
  if (kind === 'local-m') {
    return over === 'window'
      ? { mask: [slidingWindow({ left: window, right: window, offset: 0 })], reweight: [] }
      : { mask: [], reweight: [cut({ window })] };
  }
  return over === 'window'
    ? { mask: [local({ window })], reweight: [localGaussian({ sigma })] }
    : { mask: [], reweight: [localGaussian({ sigma, window })] };
}

/** One feature more that is 1 everywhere: in a context it is the sum of the row's weights. */
const withOnes = (value: Tensor): Tensor =>
  concat([value, ones(value.device, [...value.shape.slice(0, -1), 1], { dtype: value.dtype })], { axis: -1 });

/** of / total, and 0 where no key took part. */
const shares = (of: Tensor, total: Tensor): Tensor => {
  const some = gt(total, 0);
  const share: Tensor = div(of, where(some, total, 1));
  return where(some, share, 0);
};
