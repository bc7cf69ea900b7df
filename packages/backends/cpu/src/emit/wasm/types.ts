// The assembler's nouns: types of values, locals that hold them, operands that lie on the stack.

/** Types of values, with their codes in the binary format (WebAssembly core specification 5.3). */
export const valueTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

export type ValueType = keyof typeof valueTypes;

/** A local variable of a function. */
export interface Local<T extends ValueType = ValueType> {
  readonly index: number;
  readonly type: T;
}

declare const pushed: unique symbol;

/**
 * A value on the operand stack: what an instruction leaves and the next one takes. It says only that the code which
 * makes the value has been written; it must be used where it is made, in order.
 */
export interface Operand<T extends ValueType = ValueType> {
  readonly [pushed]: T;
}

/**
 * What an instruction takes: an operand that lies on the stack already, a local, or a literal. Locals and literals are
 * pushed when the instruction is written, so no operand may follow them.
 */
export type Given<T extends ValueType> =
  | Operand<T>
  | Local<T>
  | (T extends 'v128' ? never : T extends 'i64' ? bigint : number);

/** Types by the letters in which signatures are written. */
export interface Letters {
  i: 'i32';
  l: 'i64';
  f: 'f32';
  d: 'f64';
  v: 'v128';
}
const letters: { readonly [L in keyof Letters]: Letters[L] } = {
  i: 'i32',
  l: 'i64',
  f: 'f32',
  d: 'f64',
  v: 'v128',
};

/** 'iv:v' takes an i32 and a v128 and leaves a v128. */
export type Signature = `${string}:${'' | keyof Letters}`;

/** The arguments that a signature asks for. */
export type Takes<S extends string> = S extends `:${string}`
  ? []
  : S extends `${infer First extends keyof Letters}${infer Rest}`
    ? [Given<Letters[First]>, ...Takes<Rest>]
    : [];

/** The operand that a signature leaves. */
export type Leaves<S extends string> = S extends `${string}:${infer Last extends keyof Letters}`
  ? Operand<Letters[Last]>
  : undefined;

interface Types {
  readonly takes: readonly ValueType[];
  readonly leaves: ValueType | undefined;
}

/** There are a few dozen signatures, and one is asked for with every instruction that is written. */
const known = new Map<string, Types>();

/** A signature taken apart. */
export function typesOf(signature: string): Types {
  let types = known.get(signature);
  if (!types) {
    const [takes = '', leaves = ''] = signature.split(':');
    const typed = (text: string): ValueType[] => [...text].map((letter) => letters[letter as keyof Letters]);
    types = { takes: typed(takes), leaves: typed(leaves)[0] };
    known.set(signature, types);
  }
  return types;
}
