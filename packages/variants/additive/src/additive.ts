// Bahdanau's attention: the decoder's previous state asks, the encoder's annotations answer.

import { option } from '@heed/attention';
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
import { add, ShapeError, type Tensor, ValueError, zeros } from '@heed/tensor';
import { projectedScore } from './score.ts';

/** What goes with the rows of one call. */
export interface AdditiveCall extends PartsCall {
  /** Asks for the weights, [batch, key], or [batch, query, key] for several queries. */
  readonly weights?: boolean;
  /** The sum of the weights before, [batch, key]; zeros if left out. For a layer with `coverage`. */
  readonly coverage?: Tensor;
}

/** What a call gives that asked for weights, or that a layer with coverage was called with. */
export interface AdditiveResult {
  /** [batch, valueWidth], or [batch, query, valueWidth]. */
  readonly context: Tensor;
  readonly weights: Tensor;
  /** With `coverage`: the sum of the weights, this call's included. It goes into the next. */
  readonly coverage?: Tensor;
}

/** A layer of Bahdanau's, to be called for a step of a decoder, or for many at once. */
export interface Additive {
  /**
   * @param query [batch, queryWidth], the decoder's previous state; or [batch, query, queryWidth].
   * @param memory [batch, key, memoryWidth], or what `remember` made of it.
   */
  (query: Tensor, memory: Tensor | Memory, call: AdditiveCall & { readonly weights: true }): AdditiveResult;
  (
    query: Tensor,
    memory: Tensor | Memory,
    call: AdditiveCall & { readonly coverage: Tensor },
  ): AdditiveResult & { readonly coverage: Tensor };
  (query: Tensor, memory: Tensor | Memory, call?: AdditiveCall): Tensor;
  /** Projects the annotations once, for all steps of a decoder. Values other than the annotations may be given. */
  readonly remember: (memory: Tensor, value?: Tensor) => Memory;
}

const { mask, modifiers, normalizer, reweight, dropout } = partOptions;

/**
 * e_ij = v . tanh(W s_(i-1) + U h_j), a = softmax(e), c_i = sum_j a_ij h_j. Bahdanau, Cho, Bengio 2015 (arXiv 1409.0473), section
 * 3.1 and appendix A.1.2. The query is the state before the step, and c_i goes into the step (Luong's comes after:
 * `@heed/multiplicative`).
 *
 * Parameters: `query.weight` (W) [hidden, queryWidth], `memory.weight` (U) [hidden, memoryWidth], `v` [hidden]. They start as in
 * appendix B.1, W and U normal with deviation 0.001 and v at 0; `start: 'glorot'` suits other optimizers than the paper's. With
 * `bias`, `memory.bias` [hidden] starts at 0. With `normalized`, g v / |v| (Salimans, Kingma 2016, arXiv 1602.07868; TensorFlow Addons'
 * `normalize=True`): `g` starts at 1 / sqrt(hidden). With `coverage`, `coverage.weight` [hidden], which starts at 0.
 *
 * Keras' AdditiveAttention is another: it has neither W nor U.
 *
 * @throws ShapeError for rows of another width, and for several queries at once with coverage.
 * @example additiveAttention(device, { queryWidth: 32, memoryWidth: 64, hidden: 32, seed: 1 })(state, annotations)
 */
export const additiveAttention = defineLayer({
  name: 'additive',
  options: {
    /** The width of a decoder's state. */
    queryWidth: option.integer({ min: 1 }),
    /** The width of an annotation. */
    memoryWidth: option.integer({ min: 1 }),
    /** The width of the layer that compares them. */
    hidden: option.integer({ min: 1 }),
    /** Whether a trained vector is added inside the tanh. */
    bias: option.boolean({ default: false }),
    /** Separates the length of v from its direction. */
    normalized: option.boolean({ default: false }),
    /**
     * Whether the score sees how much weight a key has had: + c coverage_j inside the tanh. See, Liu, Manning 2017 (arXiv
     * 1704.04368), section 2.3; its loss is `coverageLoss`.
     */
    coverage: option.boolean({ default: false }),
    /** How W, U and v start. */
    start: option.oneOf('paper', 'glorot'),
    ...{ mask, modifiers, normalizer, reweight, dropout },
  },
  make: (options, build) => {
    const { queryWidth, memoryWidth, hidden, bias, normalized, coverage } = options;
    const paper = options.start === 'paper';
    const start = paper ? initial.normal({ deviation: 0.001 }) : initial.glorotUniform();
    const project = build.add('memory', linear, { in: memoryWidth, out: hidden, bias, initial: start });
    const spread = initial.normal({ deviation: 1 / Math.sqrt(hidden) });
    const own = {
      w: build.parameter('query.weight', [hidden, queryWidth], start),
      // A direction of length 0 is none.
      v: build.parameter('v', [hidden], paper && !normalized ? initial.constant(0) : spread),
      ...(normalized ? { g: build.parameter('g', [], initial.constant(1 / Math.sqrt(hidden))) } : {}),
      ...(coverage ? { c: build.parameter('coverage.weight', [hidden], initial.constant(0)) } : {}),
    };
    const { attend, call: callOf } = attending(
      build,
      'attention',
      {
        score: projectedScore({ normalized, covered: coverage }),
        normalizer: options.normalizer ?? softmax(),
        mask: options.mask ?? [],
        modifiers: options.modifiers ?? [],
        reweight: options.reweight ?? [],
        dropout: options.dropout,
      },
      { heads: 1, sizes: { queryFeature: queryWidth, keyFeature: hidden } },
      own,
    );

    const remember = remembering('additive', memoryWidth, project);

    const layer = (
      query: Tensor,
      memory: Tensor | Memory,
      call: AdditiveCall = {},
    ): Tensor | AdditiveResult => {
      const { rows, step } = decoderRows('additive', query, queryWidth);
      const { key, value } = 'kind' in memory ? memory : remember(memory);
      const before = covered(coverage, call, key, step);
      const { context, weights } = attended(
        attend,
        [rows, key, value],
        callOf(before ? { ...call, inputs: { ...call.inputs, coverage: before } } : call),
        Boolean(call.weights || before),
      );
      const lower = (of: Tensor) => (step ? of.squeeze(1) : of);
      if (!weights) return lower(context);
      return {
        context: lower(context),
        weights: lower(weights),
        ...(before ? { coverage: add(before, lower(weights)) } : {}),
      };
    };
    return Object.assign(layer, { remember }) as Additive;
  },
});

/** The coverage of a call, or null for a layer without. */
function covered(has: boolean, { coverage }: AdditiveCall, key: Tensor, step: boolean): Tensor | null {
  if (!has) {
    if (coverage)
      throw new ValueError(
        'additive: coverage was given to a layer without. Make it with { coverage: true }.',
      );
    return null;
  }
  if (!step)
    throw new ShapeError(
      'additive: with coverage each step depends on the one before. Give one query for each batch entry, [batch, queryWidth].',
    );
  return coverage ?? zeros(key.device, key.shape.slice(0, 2), { dtype: key.dtype });
}
