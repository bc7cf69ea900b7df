// Parts: the values that an attention is composed of. Each is plain data around one traced expression.

import type { Bool, Element, Expr, Scalar, Sizes, Type } from '@heed/expr';
import type { Axis, NormalizerForm } from '@heed/tensor';

/** A trained input of a formula: one value for each position along `along`, none for a value shared by all. */
export interface Parameter {
  readonly type: Type;
  readonly along: readonly Axis[];
  /** What `parameters()` starts it with: a number everywhere, or normal with deviation 1 / sqrt(last dim). */
  readonly initial: number | 'scaled-normal';
}

/** A tensor that is given with a call: lengths, document ids, a bias. Float inputs have gradients too. */
export interface SideInput {
  readonly type: Type;
  readonly along: readonly Axis[];
}

/** A number given with a call, or this default. Changing it never makes a new kernel. */
export interface Uniform {
  readonly element: Extract<Element, 'float' | 'int'>;
  readonly value: number;
  /** A bound that it must lie strictly above. */
  readonly above?: number;
}

/** The lengths that a part may refuse. */
export interface Lengths {
  readonly queryLength: number;
  readonly keyLength: number;
  readonly batches: number;
  readonly heads: number;
  readonly keyHeads: number;
}

interface PartBase<Kind extends string> {
  readonly kind: Kind;
  /** The name it was defined under. */
  readonly part: string;
  /** Name and options, for people to read: `additive(hidden: 64)`. */
  readonly label: string;
  readonly sizes: Sizes;
  readonly params: Readonly<Record<string, Parameter>>;
  readonly inputs: Readonly<Record<string, SideInput>>;
  readonly uniforms: Readonly<Record<string, Uniform>>;
  /** A complaint about lengths (and the sizes of its dims) that the part cannot work with, or null. */
  readonly refuse: (lengths: Lengths, sizes: Sizes) => string | null;
  /** Keeps `{ name: ... }` descriptions apart from parts. */
  readonly name?: never;
}

/** e = body(q, k): one number for a query row and a key row. */
export interface Score extends PartBase<'score'> {
  readonly body: Expr<Scalar>;
  /** `shared`: query and key rows have one width, `feature`. `separate`: `queryFeature` and `keyFeature`. */
  readonly widths: Widths;
}

/** e' = body(e): reads the input `score`. */
export interface Modifier extends PartBase<'modifier'> {
  readonly body: Expr<Scalar>;
}

/** Which keys take part. */
export interface Mask extends PartBase<'mask'> {
  readonly body: Expr<Bool>;
}

/** How the scores of a row become its weights. */
export interface Normalizer extends PartBase<'normalizer'> {
  readonly form: NormalizerForm;
}

/** A factor for each weight after normalising; the row is not renormalised. */
export interface Reweight extends PartBase<'reweight'> {
  readonly body: Expr<Scalar>;
}

export type Part = Score | Modifier | Mask | Normalizer | Reweight;
export type Widths = 'shared' | 'separate';

/** A function that makes a part from its options, and knows the name and the defaults it was defined with. */
export interface Factory<P extends Part, Name extends string, Choice extends object> {
  (
    ...choice: keyof Choice extends never
      ? [choice?: NoOptions]
      : {} extends Choice
        ? [choice?: Flat<Choice>]
        : [choice: Flat<Choice>]
  ): P;
  readonly kind: P['kind'];
  readonly partName: Name;
  /** Makes the part from JSON, with every option checked. Errors name an option by `path`: `attention.score.hidden`. */
  readonly fromJSON: (choice: Readonly<Record<string, unknown>>, path: string) => P;
  /** Every option, size and uniform with its default (undefined where one must be given). */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** One type of an intersection's keys: of the intersection itself the compiler would take the number 64 for options. */
type Flat<T> = { readonly [K in keyof T]: T[K] };

/** An object without keys: of the type `{}` any object would do. */
type NoOptions = Readonly<Record<string, never>>;

/** The options that a factory takes. */
export type OptionsOf<F> = F extends (...choice: infer A) => Part
  ? string extends keyof NonNullable<A[0]>
    ? {}
    : NonNullable<A[0]>
  : never;
