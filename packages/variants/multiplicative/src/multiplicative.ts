// Luong's global attention: the decoder's new state asks, and what it finds becomes its attentional state.

import { option } from '@heed/attention';
import { learnedScale } from '@heed/masks';
import {
  attended,
  attending,
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
import { concat, type Tensor, tanh, zeros } from '@heed/tensor';

/** What goes with the rows of one call. */
export interface MultiplicativeCall extends PartsCall {
  /** Asks for the weights, [batch, key], or [batch, query, key] for several queries, and for the context. */
  readonly weights?: boolean;
}

/** What a call gives that asked for weights. */
export interface MultiplicativeResult {
  /** h~ = tanh(W_c [c; h]), [batch, out]; the context where there is no `attentional` layer. */
  readonly output: Tensor;
  /** [batch, memoryWidth]. */
  readonly context: Tensor;
  readonly weights: Tensor;
}

/** A layer of Luong's, to be called for a step of a decoder, or for many at once. */
export interface Multiplicative {
  /**
   * @param query [batch, queryWidth], the decoder's state after the step; or [batch, query, queryWidth].
   * @param memory [batch, key, memoryWidth], or what `remember` made of it.
   */
  (
    query: Tensor,
    memory: Tensor | Memory,
    call: MultiplicativeCall & { readonly weights: true },
  ): MultiplicativeResult;
  (query: Tensor, memory: Tensor | Memory, call?: MultiplicativeCall): Tensor;
  /** Projects the memory once, for all steps of a decoder. */
  readonly remember: (memory: Tensor) => Memory;
  /** The output before the first step: zeros [batch, out]. */
  readonly start: (batch: number) => Tensor;
  /** Input feeding: [x; output before], what the decoder's next step is given (section 3.3). */
  readonly feed: (x: Tensor, before: Tensor) => Tensor;
}

/**
 * a = softmax(score(h_t, h_s)), c = sum a h_s, h~ = tanh(W_c [c; h_t]). Luong, Pham, Manning 2015 (arXiv 1508.04025), sections 3 and
 * 3.1, equations 5, 7 and 8. The three scores:
 *
 * - general, h_t . (W_a h_s): the default, a projected memory and the score `dot()`;
 * - dot: `{ project: false }`;
 * - concat: `{ project: false, score: concat({ hidden }) }`, or any other score by value.
 *
 * Parameters: `memory.weight` (W_a) [queryWidth, memoryWidth], `attentional.weight` (W_c) [out, memoryWidth + queryWidth], those of
 * the score, `attention.w`, ...; Glorot uniform (the paper draws from [-0.1, 0.1]: `start: 'paper'`). With `scale`, `attention.scale`,
 * one number that multiplies all scores and starts at 1 (TensorFlow Addons' `attention_g`).
 *
 * @throws ShapeError for rows of another width.
 * @example multiplicativeAttention(device, { queryWidth: 32, memoryWidth: 64, seed: 1 })(state, states)
 */
export const multiplicativeAttention = defineLayer({
  name: 'multiplicative',
  options: {
    /** The width of a decoder's state. */
    queryWidth: option.integer({ min: 1 }),
    /** The width of a row of the memory. */
    memoryWidth: option.integer({ min: 1 }),
    /** Whether the memory is projected to the query's width before it is compared: W_a of "general". */
    project: option.boolean({ default: true }),
    /** Whether all scores are multiplied by a trained number. */
    scale: option.boolean({ default: false }),
    /** Whether what comes out is tanh(W_c [c; h]) instead of the context c. */
    attentional: option.boolean({ default: true }),
    /** The width of the attentional state; `queryWidth` if left out. */
    out: option.integer({ min: 1, optional: true }),
    /** How matrices start: Glorot uniform, or evenly over [-0.1, 0.1), section 4.1. */
    start: option.oneOf('glorot', 'paper'),
    ...partOptions,
  },
  make: (options, build) => {
    const { queryWidth, memoryWidth, out: stateWidth = queryWidth } = options;
    const start =
      options.start === 'paper' ? initial.uniform({ low: -0.1, high: 0.1 }) : initial.glorotUniform();
    const project = options.project
      ? build.add('memory', linear, { in: memoryWidth, out: queryWidth, bias: false, initial: start })
      : null;
    const combine = options.attentional
      ? build.add('attentional', linear, {
          in: memoryWidth + queryWidth,
          out: stateWidth,
          bias: false,
          initial: start,
        })
      : null;
    const width = combine ? stateWidth : memoryWidth;
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: options.score ?? dot(),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        modifiers: [...(options.scale ? [learnedScale()] : []), ...(options.modifiers ?? [])],
        reweight: options.reweight ?? [],
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

    const remember = remembering('multiplicative', memoryWidth, project);

    const layer = (
      query: Tensor,
      memory: Tensor | Memory,
      call: MultiplicativeCall = {},
    ): Tensor | MultiplicativeResult => {
      const { rows, step } = decoderRows('multiplicative', query, queryWidth);
      const { key, value } = 'kind' in memory ? memory : remember(memory);
      const { context, weights } = attended(attend, [rows, key, value], callOf(call), call.weights ?? false);
      const lower = (of: Tensor) => (step ? of.squeeze(1) : of);
      const output = lower(combine ? tanh(combine(concat([context, rows], { axis: -1 }))) : context);
      return weights ? { output, context: lower(context), weights: lower(weights) } : output;
    };

    return Object.assign(layer, {
      remember,
      start: (batch: number) => zeros(build.device, [batch, width], { dtype: build.dtype }),
      feed: (x: Tensor, before: Tensor) => concat([x, before], { axis: -1 }),
    }) as Multiplicative;
  },
});
