// Types of expressions: what a node holds (its element), its shape in named dims, and how many indices a table takes.

/** The name of a dim (`'hidden'`), a number (`'3'`), or a sum of these (`'queryFeature+keyFeature'`). */
export type Dim = string;

/** What one number of a value is. Floats are as wide as the backend stores them; ints are 32 bits. */
export type Element = 'float' | 'int' | 'bool';

/**
 * The type of an expression. `dims` is `[]` for a scalar, `[length]` for a vector, `[rows, columns]` for a matrix.
 * `lookups` is 0 for a value and n for a table, which gives a value only when it is read with n indices (`at`).
 */
export interface Type<
  E extends Element = Element,
  D extends readonly Dim[] = readonly Dim[],
  L extends number = number,
> {
  readonly element: E;
  readonly dims: D;
  readonly lookups: L;
}

export type Scalar = Type<'float', readonly [], 0>;
export type Index = Type<'int', readonly [], 0>;
export type Bool = Type<'bool', readonly [], 0>;
export type Vec<D extends Dim = Dim> = Type<'float', readonly [D], 0>;
export type Mat<R extends Dim = Dim, C extends Dim = Dim> = Type<'float', readonly [R, C], 0>;

/** A table of `Of`, read by `L` indices: a bias by relative position, an embedding by distance. */
export type Table<L extends number = number, Of extends Type = Scalar> = Type<Of['element'], Of['dims'], L>;

export const scalar: Scalar = { element: 'float', dims: [], lookups: 0 };
export const index: Index = { element: 'int', dims: [], lookups: 0 };
export const bool: Bool = { element: 'bool', dims: [], lookups: 0 };

export const vec = <const D extends Dim>(dim: D): Vec<D> => ({ element: 'float', dims: [dim], lookups: 0 });

export const mat = <const R extends Dim, const C extends Dim>(rows: R, columns: C): Mat<R, C> => ({
  element: 'float',
  dims: [rows, columns],
  lookups: 0,
});

/** A table read with `lookups` indices; each entry is `of` (a scalar if left out). Outside itself a table is zero. */
export function table<const L extends number>(lookups: L): Table<L, Scalar>;
export function table<const L extends number, Of extends Type>(lookups: L, of: Of): Table<L, Of>;
export function table(lookups: number, of: Type = scalar): Type {
  return { element: of.element, dims: of.dims, lookups };
}

/** The sizes of dims by name. */
export type Sizes = Readonly<Record<string, number>>;

/** The number behind a dim: a name looked up, a numeral, or a sum of both; undefined where a name has no size yet. */
export function sizeOf(dim: Dim, sizes: Sizes): number | undefined {
  let total = 0;
  for (const part of dim.split('+')) {
    const size = /^\d+$/.test(part) ? Number(part) : Object.hasOwn(sizes, part) ? sizes[part] : undefined;
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}

export const sameType = (a: Type, b: Type): boolean =>
  a.element === b.element &&
  a.lookups === b.lookups &&
  a.dims.length === b.dims.length &&
  a.dims.every((dim, i) => dim === b.dims[i]);

/** A type as a person writes it: `scalar`, `vec(hidden)`, `mat(hidden, feature)`, `table(2) of vec(feature)`. */
export function describeType(type: Type): string {
  const rank = ['scalar', 'vec', 'mat'][type.dims.length] ?? 'tensor';
  const name =
    type.element === 'float' ? rank : type.dims.length === 0 ? type.element : `${type.element} ${rank}`;
  const value =
    type.dims.length === 0 ? (type.element === 'int' ? 'index' : name) : `${name}(${type.dims.join(', ')})`;
  return type.lookups === 0 ? value : `table(${type.lookups}) of ${value}`;
}
