// What a call takes and gives.

import type { Tensor, WeightsRequest } from '@heed/tensor';
import type { Part } from './part.ts';

/** What goes with the rows of one call, each kind of knob under its own name. */
export interface AttendCall {
  /** Trained tensors of the parts, by name: `{ w, u, v }`. */
  readonly params?: Readonly<Record<string, Tensor>>;
  /** Side inputs of the parts, by name: lengths, document ids, a bias. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
  /** Numbers of this call; those left out keep their defaults. */
  readonly uniforms?: Readonly<Record<string, number>>;
  /** Ask for the weights, whole or pooled. The context is the same either way. */
  readonly weights?: WeightsRequest;
  /** Ask for the level of each row: for softmax, the log-sum-exp of its scores. */
  readonly level?: boolean;
  /** Needed where dropout is set: whether this is training. */
  readonly train?: boolean;
  /** Needed while training with dropout: the same seed drops the same pairs. */
  readonly seed?: number;
}

/** What a call gives when more than the context is asked for. Shapes as in the call, leading axes included. */
export interface Attended {
  /** [batch, head, query, valueFeature]. */
  readonly context: Tensor;
  /** [batch, head, query, key], or pooled. Zero where a pair is not allowed. */
  readonly weights?: Tensor;
  /** [batch, head, query]; -infinity where no key is allowed. */
  readonly level?: Tensor;
}

/** Composed attention, to be called. */
export interface Attend {
  /**
   * Attends from each query over the keys and averages the values.
   *
   * @param query [batch, head, query, queryFeature], or without head, or without batch and head.
   * @param key [batch, keyHead, key, keyFeature], of the same rank; heads must be a multiple of keyHeads.
   * @param value [batch, keyHead, key, valueFeature].
   * @returns the context [batch, head, query, valueFeature]; with `weights` or `level` asked for, an object.
   * @throws ShapeError, DTypeError, NameError that say which tensor does not fit and what would.
   */
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: AttendCall & { readonly weights: true | { readonly pool: number } },
  ): Attended & { readonly weights: Tensor };
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: AttendCall & { readonly level: true },
  ): Attended & { readonly level: Tensor };
  (query: Tensor, key: Tensor, value: Tensor, call?: AttendCall): Tensor;
  /** The scores of all pairs after the modifiers, before the mask: [batch, head, query, key]. For looking, not for speed. */
  readonly scores: (query: Tensor, key: Tensor, call?: AttendCall) => Tensor;
  /** What would be done for these tensors: what is hoisted, rewritten and run, and the kernels' sources. */
  readonly explain: (query: Tensor, key: Tensor, value: Tensor, call?: AttendCall) => Explanation;
  /** Every part, the score first. */
  readonly parts: readonly Part[];
  /** The parts it is composed of, as text: `additive(hidden: 64) | causal | softmax`. */
  readonly label: string;
}

/** An account of one call, in sections; `toString()` is the whole of it. */
export interface Explanation {
  /** The equation, stage by stage. */
  readonly spec: string;
  /** What is computed once for each row, and the expression that is left for each pair. */
  readonly plan: string;
  /** What was moved or rewritten, and why. */
  readonly notes: readonly string[];
  /** What the backend chose. */
  readonly backend: string;
  /** The kernel's source in the backend's own language. */
  readonly source: string;
  toString(): string;
}
