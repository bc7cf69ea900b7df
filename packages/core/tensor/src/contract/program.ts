// Programs: the only work that a backend knows. A program is data; it carries expressions and never a part's name.
//
// A program fixes what a kernel is specialised on: expressions, dtypes, ranks, and the sizes of feature dims. Lengths,
// strides and uniforms arrive with each call (see backend.ts). In every program an expression reads, by name:
//   - inputs     tensors of the call, one element (or row, matrix, table) at a time
//   - uniforms   numbers of the call: changing one never makes a new kernel
//   - places     ints that the backend supplies: coordinates and lengths, listed with each program below
// No result is named as an input, but those of attend-gradient. A single result is called `out`.

import type { Bool, Cheaper, Expr, Scalar, Sizes, Type } from '@heed/expr';
import type { DType } from './dtype.ts';

/** Uniforms by name. An int uniform is an offset, a seed, a length. */
export type Uniforms = Readonly<Record<string, 'float' | 'int'>>;

/** A result of a program: how it is stored and what it is. */
export interface Result {
  readonly dtype: DType;
  readonly body: Expr;
}

/**
 * out[i...] = body(inputs[i...]). Every input has the shape of the output (broadcasts are strides of zero) and is read
 * as a scalar. Places: `axis0` .. `axis{rank-1}`, the coordinates. All results have the same shape.
 */
export interface MapProgram {
  readonly kind: 'map';
  readonly rank: number;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly results: Readonly<Record<string, Result>>;
}

export type Reduction = 'sum' | 'max' | 'min' | 'argmax' | 'argmin';

/**
 * out[i...] = finish(reduce over j... of body(inputs[i..., j...])), the last `reduced` axes reduced. NaN wins in max and
 * min, as in NumPy; argmax and argmin give the first such position, counted row-major over the reduced axes. `finish`
 * reads `total` (an int for argmax and argmin) and the place `count`, the number of elements reduced. An empty sum is
 * 0, an empty max -infinity, an empty min infinity, an empty argmax or argmin -1. The result is `out`.
 */
export interface ReduceProgram {
  readonly kind: 'reduce';
  /** Axes that stay. */
  readonly rank: number;
  readonly reduced: number;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly body: Expr<Scalar>;
  readonly by: Reduction;
  readonly finish: Expr;
  readonly dtype: DType;
}

/**
 * Reduces along the last axis, then maps along it: softmax, layer norm, log-sum-exp. Inputs have the shape
 * [rows..., length]. Each reduction may read the results of those before it by their names; results may read all.
 * Place: `length`. A result `per: 'row'` has the shape [rows...] and reads no input, only reductions.
 */
export interface RowProgram {
  readonly kind: 'row';
  /** Axes before the last. */
  readonly rank: number;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly reductions: readonly {
    readonly name: string;
    readonly by: 'sum' | 'max' | 'min';
    readonly body: Expr<Scalar>;
  }[];
  readonly results: Readonly<Record<string, Result & { readonly per: 'element' | 'row' }>>;
}

/**
 * out[b..., i, j] = epilogue(sum over k of a[b..., i, k] * b[b..., k, j]). Inputs `a` and `b`; transposes and broadcasts
 * are strides. The epilogue reads `product` and inputs of the output's shape.
 */
export interface MatmulProgram {
  readonly kind: 'matmul';
  /** Batch axes. */
  readonly rank: number;
  readonly a: DType;
  readonly b: DType;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly epilogue: Expr<Scalar>;
  readonly dtype: DType;
}

/**
 * out[o..., m, i...] = data[o..., index[o..., m, i...], i...]. Inputs `data` and `index` (int32). An index outside
 * [0, n) gives 0 and is a fault: the backend's next `read` rejects with a ValueError that names the index and n.
 */
export interface GatherProgram {
  readonly kind: 'gather';
  /** Axes before and after the gathered one. */
  readonly outer: number;
  readonly inner: number;
  readonly dtype: DType;
}

/**
 * out[o..., index[o..., m, i...], i...] += source[o..., m, i...], onto what `out` already holds, in the order of m.
 * Inputs `source` and `index` (int32). An index outside is a fault, as for gather, and adds nothing.
 */
export interface ScatterAddProgram {
  readonly kind: 'scatter-add';
  readonly outer: number;
  readonly inner: number;
  readonly dtype: DType;
}

/** The axes of an attention. `keyHead` counts heads of keys: query head h reads keyHead floor(h * keyHeads / heads). */
export type Axis = 'batch' | 'head' | 'keyHead' | 'query' | 'key';

export const axisNames: readonly Axis[] = ['batch', 'head', 'keyHead', 'query', 'key'];

/** The place, and the call's size, that holds the length of each axis. */
export const lengthNames: Readonly<Record<Axis, string>> = {
  batch: 'batches',
  head: 'heads',
  keyHead: 'keyHeads',
  query: 'queryLength',
  key: 'keyLength',
};

/**
 * An input of `attend`: a tensor of shape [...along, ...lookups, ...dims]. `query` rows lie along ['batch', 'head',
 * 'query'], a parameter along [], a bias of pairs along a subset that has both 'query' and 'key'. The sizes of lookups
 * arrive with the call, in the shape of the view; those of dims are the program's.
 */
export interface AttendInput {
  readonly type: Type;
  readonly dtype: DType;
  readonly along: readonly Axis[];
}

/**
 * How scores become weights: a weight and a level, one level for each row.
 *   - none          weights are `weight(score)`; nothing to solve, no level (sigmoid, relu, identity)
 *   - log-sum-exp   level = log(sum exp(score) + exp(sink)); `weight` must be exp(score - level), so that weights sum to
 *                   one. A backend works with the difference, which is exact where the level itself, being large, is not
 *   - root          the level at which the sum of weight(score, level) over the row, plus weight(sink, level), is one;
 *                   `weight` falls as the level grows, and the root lies between `low` and `high`, which read
 *                   `maximum` (the row's largest score, the sink's included) and `count` (its number of allowed keys, as
 *                   a float, the sink's included)
 *   - argmax        level = the position of the first largest score, as a float (`weight` also reads the place `key`);
 *                   the first NaN counts as largest. A sink larger than all has the position keyLength
 */
export interface NormalizerForm {
  /**
   * Reads `score`, `level` (unless by none), and what a score reads; with a sink and a level by log-sum-exp or root only
   * what varies along no key, since the sink is weighed by it too.
   */
  readonly weight: Expr<Scalar>;
  readonly level:
    | { readonly by: 'none' | 'log-sum-exp' | 'argmax' }
    | { readonly by: 'root'; readonly low: Expr<Scalar>; readonly high: Expr<Scalar> };
  /**
   * The score of one more key that has no value: it takes weight and gives nothing. Reads what varies along no key; null
   * where the level is by none.
   */
  readonly sink: Expr<Scalar> | null;
}

/**
 * Weights on request. `pool: n` sums weights over blocks of n keys and averages them over blocks of n queries, the last of
 * which may have fewer; rows without an allowed key count as rows of zeros.
 */
export type WeightsRequest = false | true | { readonly pool: number };

/**
 * For each batch, head and query, over the keys that `mask` allows:
 *   e = score;  a = normalize(e);  w = a * reweight;  context = sum of w * value
 * Places: `batch`, `head`, `keyHead`, `query`, `key`, and the lengths `batches`, `heads`, `keyHeads`, `queryLength`,
 * `keyLength`; the call's sizes are these five lengths. No input or uniform is called like a place, or `score`, `level`,
 * `maximum`, `count` or `context`.
 *
 * A pair that is not allowed is skipped, never multiplied by zero: whatever its rows hold reaches no result. A row in
 * which nothing is allowed has context 0, weights 0 and level -infinity, with or without a sink; so has a row whose
 * largest score, the sink's included, is -infinity, unless its level is by none.
 *
 * Results: `context` [batch, head, query, ...value dims]; `level` [batch, head, query] if kept (never by none), stored as
 * `workingDType(dtype)`; `weights` (after reweight, 0 where not allowed) [batch, head, query, key], or
 * [batch, head, ceil(query / pool), ceil(key / pool)].
 */
export interface AttendProgram {
  readonly kind: 'attend';
  readonly inputs: Readonly<Record<string, AttendInput>>;
  /** The input that is averaged: a vector along a subset of batch, keyHead and key. */
  readonly value: string;
  readonly uniforms: Uniforms;
  /** The sizes of the dims that inputs and expressions name. */
  readonly sizes: Sizes;
  readonly score: Expr<Scalar>;
  readonly mask: Expr<Bool>;
  readonly normalizer: NormalizerForm;
  /** A factor for each weight; the literal 1 where there is none. Not renormalised. */
  readonly reweight: Expr<Scalar>;
  /** The same score (root `score`) with cheaper arithmetic, valid within its guards. A backend may ignore it. */
  readonly cheaper: Cheaper | null;
  readonly keep: { readonly level: boolean; readonly weights: WeightsRequest };
  readonly dtype: DType;
}

/**
 * What an input's change does to each stage, as expressions of the input's type; null where it does nothing. For a table
 * that is an `entry`, or a sum (`add`) of them: what they hold is added where their indices say, or nowhere outside.
 */
export interface Partials {
  readonly score: Expr | null;
  readonly reweight: Expr | null;
  /** d weight / d input at fixed score and level. */
  readonly weight: Expr | null;
  /** d sink / d input. */
  readonly sink: Expr | null;
}

/**
 * The gradient of `attend` by recomputation from the levels. With, for each allowed pair,
 *   g = reweight * (gradient of context . value + gradient of the weight)     a' = d weight / d score
 *   b = d weight / d level       B = sum of b (+ that of the sink)            rho = (sum of g b + gradient of level) / B
 * (rho = 0 for the levels `none` and `argmax`, and where B is 0; the sums run over a row), the gradients are
 *   d score  = a' (g - rho)                    d value    = reweight * weight * gradient of context
 *   d reweight = weight * (gradient of context . value + gradient of the weight)
 *   d weight's own inputs: (g - rho)           d sink     = -rho * a'(sink)
 *   and, where there is a sink, -rho for its weight's own inputs
 * each times the partial of the input, summed over the pairs that share the input's element. Rows that `attend` leaves
 * empty give nothing. The value may be read by the score too: then it has partials as well.
 *
 * Inputs: those of `of`, `level` (unless by none) and `context` as `of` gave them, and for each upstream gradient
 * `grad$context`, `grad$weights` (whole or pooled, as `of.keep.weights`), `grad$level`, stored as what they belong to.
 * Results: one for each name in `wrt`, of the shape [...along, ...lookups, ...dims] and the dtype of that input,
 * overwritten, not added to.
 */
export interface AttendGradientProgram {
  readonly kind: 'attend-gradient';
  readonly of: AttendProgram;
  readonly wrt: readonly string[];
  readonly upstream: { readonly context: boolean; readonly weights: boolean; readonly level: boolean };
  /** a' and b; null where the weight does not depend on it. They read what `weight` reads. */
  readonly weightByScore: Expr<Scalar> | null;
  readonly weightByLevel: Expr<Scalar> | null;
  /** For each name in `wrt`; the value may be left out. */
  readonly partials: Readonly<Record<string, Partials>>;
  /** The partials of the score (roots by input name) with cheaper arithmetic. */
  readonly cheaper: Cheaper | null;
}

export type Program =
  | MapProgram
  | ReduceProgram
  | RowProgram
  | MatmulProgram
  | GatherProgram
  | ScatterAddProgram
  | AttendProgram
  | AttendGradientProgram;
export type ProgramKind = Program['kind'];
export type ProgramOf<K extends ProgramKind> = Extract<Program, { kind: K }>;
