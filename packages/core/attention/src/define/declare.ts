// What the five kinds of definition share: declarations, the context a formula is given, and choosing options.

import {
  type Declare,
  didYouMean,
  type Expr,
  type Index,
  type Scalar,
  type Sizes,
  size as sizeIn,
  type Type,
} from '@heed/expr';
import { type Axis, DTypeError, NameError, ValueError } from '@heed/tensor';
import type { Lengths, Parameter, SideInput, Uniform } from '../part.ts';
import { declarePlaces, inOrder, type Place, reserved } from '../place.ts';
import { type Choice, type Chosen, type Option, type Options, option } from './option.ts';

/** A parameter: its type, or its type with the axes it differs along and the value it starts with. */
export type ParamDeclaration =
  | Type
  | { readonly type: Type; readonly along?: readonly Axis[]; readonly initial?: number };
/** A side input: its type and the axes it varies along. */
export interface InputDeclaration {
  readonly type: Type;
  readonly along: readonly Axis[];
}
/**
 * A uniform: its default, or its element with its default; `above` is a bound that it must lie strictly above. One that is `optional` is part of the formula only where it was
 * given when the part was made; after that each call may change it, without a new kernel.
 */
export type UniformDeclaration =
  | number
  | { readonly element: 'float' | 'int'; readonly value: number; readonly above?: number }
  | { readonly element: 'float' | 'int'; readonly optional: true; readonly above?: number };

export type Params = Readonly<Record<string, ParamDeclaration>>;
export type Inputs = Readonly<Record<string, InputDeclaration>>;
export type UniformDeclarations = Readonly<Record<string, UniformDeclaration>>;

/**
 * Four kinds of knob. An *option* changes the formula (a new kernel), a *size* changes a shape, a *parameter* is
 * trained, a *uniform* is a number given at each call (never a new kernel).
 */
export interface Declarations<
  Name extends string,
  O extends Options,
  S extends Sizes,
  P extends Params,
  I extends Inputs,
  U extends UniformDeclarations,
> {
  readonly name: Name;
  readonly options?: O;
  /** Sizes of dims that parameters introduce, with defaults: `{ hidden: 64 }`. */
  readonly sizes?: S;
  readonly params?: P;
  readonly inputs?: I;
  readonly uniforms?: U;
  /** A complaint about options and uniforms that do not go together. */
  readonly validate?: (options: Chosen<O>, uniforms: Numbers<U>) => string | undefined;
  /**
   * A complaint about lengths that the part cannot work with. The uniforms are those the part was made with, the sizes
   * those of the tensors of the call.
   */
  readonly refuse?: (
    lengths: Lengths,
    options: Chosen<O>,
    uniforms: Numbers<U>,
    sizes: Sizes,
  ) => string | undefined;
}

/** The uniforms that a part was made with: an optional one that was not given is undefined. */
export type Numbers<U extends UniformDeclarations> = {
  readonly [K in keyof U]: U[K] extends { readonly optional: true } ? number | undefined : number;
};

type TypeOf<D> = D extends { readonly type: infer T extends Type } ? T : D extends Type ? D : never;
type UniformOf<D> = D extends { readonly element: 'int' } ? Index : Scalar;
type UniformIn<D> = D extends { readonly optional: true }
  ? Expr<UniformOf<D>> | undefined
  : Expr<UniformOf<D>>;

/** What every formula is given. */
export interface Context<P extends Params, I extends Inputs, U extends UniformDeclarations> extends Place {
  readonly params: { readonly [K in keyof P]: Expr<TypeOf<P[K]>> };
  readonly inputs: { readonly [K in keyof I]: Expr<TypeOf<I[K]>> };
  readonly uniforms: { readonly [K in keyof U]: UniformIn<U[K]> };
  /** The size of a dim, as a float: `size('feature')`. */
  readonly size: (dim: string) => Expr<Scalar>;
}

/** What a factory takes: options, and any size or uniform to change its default. */
export type Knobs<O extends Options, S extends Sizes, U extends UniformDeclarations> = Choice<O> & {
  readonly [K in keyof S]?: number;
} & { readonly [K in keyof U]?: number };

/** The parts of a declaration that do not depend on the formula, checked once. */
export interface Outline {
  readonly name: string;
  readonly options: Options;
  readonly sizes: Sizes;
  readonly params: Readonly<Record<string, Parameter>>;
  readonly inputs: Readonly<Record<string, SideInput>>;
  readonly uniforms: Readonly<Record<string, DeclaredUniform>>;
}

/** A uniform as declared: without a value where it is optional. */
export interface DeclaredUniform extends Omit<Uniform, 'value'> {
  readonly value: number | undefined;
}

/** @throws NameError for a name that is reserved or declared twice. */
export function outline(
  kind: string,
  given: {
    readonly name: string;
    readonly options?: Options | undefined;
    readonly sizes?: Sizes | undefined;
    readonly params?: Params | undefined;
    readonly inputs?: Inputs | undefined;
    readonly uniforms?: UniformDeclarations | undefined;
  },
): Outline {
  const where = `${kind} "${given.name}"`;
  const seen = new Map<string, string>();
  for (const [group, names] of Object.entries({
    option: given.options,
    size: given.sizes,
    parameter: given.params,
    input: given.inputs,
    uniform: given.uniforms,
  })) {
    for (const name of Object.keys(names ?? {})) {
      const before = seen.get(name);
      if (before)
        throw new NameError(
          `${where}: "${name}" is declared as ${before} and as ${group}. Rename one of them.`,
        );
      if (!/^[A-Za-z_]\w*$/.test(name) || reserved.has(name)) {
        throw new NameError(
          `${where}: the ${group} "${name}" must be an identifier other than ${[...reserved].join(', ')}.`,
        );
      }
      seen.set(name, group);
    }
  }
  return {
    name: given.name,
    options: given.options ?? {},
    sizes: given.sizes ?? {},
    params: mapValues(given.params ?? {}, (declared): Parameter => {
      const full = 'type' in declared ? declared : { type: declared };
      return { type: full.type, along: inOrder(full.along ?? []), initial: full.initial ?? 'scaled-normal' };
    }),
    inputs: mapValues(given.inputs ?? {}, ({ type, along }): SideInput => ({ type, along: inOrder(along) })),
    uniforms: mapValues(
      given.uniforms ?? {},
      (declared): DeclaredUniform =>
        typeof declared === 'number'
          ? { element: 'float', value: declared }
          : { ...declared, value: 'optional' in declared ? undefined : declared.value },
    ),
  };
}

/** The context of a formula, over the inputs that `declare` hands out. An optional uniform not among `given` is absent. */
export function contextOf<P extends Params, I extends Inputs, U extends UniformDeclarations>(
  of: Outline,
  given: Readonly<Record<string, Uniform>>,
  declare: Declare,
): Context<P, I, U> {
  const place = declarePlaces(declare);
  const lazily = <V>(names: Readonly<Record<string, V>>, make: (name: string, value: V) => Expr): object =>
    Object.defineProperties(
      {},
      mapValues(names, (value, name) => ({ enumerable: true, get: () => make(name, value) })),
    );
  const context = {
    params: lazily(of.params, (name, { type, along }) => declare(name, type, along)),
    inputs: lazily(of.inputs, (name, { type, along }) => declare(name, type, along)),
    uniforms: lazily(given, (name, { element }) => declare(name, { element, dims: [], lookups: 0 } as Type)),
    size: (dim: string) => sizeIn(place.queryLength, dim),
  };
  return Object.defineProperties(context, Object.getOwnPropertyDescriptors(place)) as unknown as Context<
    P,
    I,
    U
  >;
}

export interface Settled {
  readonly options: Readonly<Record<string, unknown>>;
  readonly sizes: Sizes;
  readonly uniforms: Readonly<Record<string, Uniform>>;
  readonly label: string;
}

/** How a message names the part (no argument) or one of its knobs. */
export type Naming = (knob?: string) => string;

/**
 * Checks what was chosen and fills in the rest.
 * @throws NameError for an unknown knob, ValueError or DTypeError for a value it does not take.
 */
export function settle(naming: Naming, of: Outline, choice: unknown): Settled {
  if (choice !== undefined && (typeof choice !== 'object' || choice === null || Array.isArray(choice))) {
    throw new DTypeError(
      `${naming()}: expected its options as an object such as ${example(of)}, got ${describe(choice)}.`,
    );
  }
  const given = (choice ?? {}) as Readonly<Record<string, unknown>>;
  const knobs: Readonly<Record<string, Option<unknown>>> = {
    ...of.options,
    ...mapValues(of.sizes, (fallback) => option.integer({ min: 1, default: fallback })),
    ...mapValues(of.uniforms, knobOf),
  };
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(knobs, name)) {
      const known = Object.keys(knobs);
      throw new NameError(
        `${naming(name)} does not exist.${didYouMean(name, known)} ` +
          (known.length > 0 ? `${of.name} takes ${known.join(', ')}.` : `${of.name} takes no options.`),
      );
    }
  }
  const values = mapValues(knobs, (knob, name) => {
    const value = given[name];
    if (value === undefined) {
      if (knob.presence === 'needed') {
        throw new NameError(`${naming(name)} must be given: expected ${knob.expects}, as in ${example(of)}.`);
      }
      return knob.fallback;
    }
    if (!knob.accepts(value))
      throw new ValueError(`${naming(name)} expects ${knob.expects}, got ${describe(value)}.`);
    return value;
  });
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    options: pick(values, of.options),
    sizes: pick(values, of.sizes) as Sizes,
    uniforms: mapValues(
      Object.fromEntries(Object.entries(of.uniforms).filter(([name]) => values[name] !== undefined)),
      ({ element, above }, name) => ({
        element,
        value: values[name] as number,
        ...(above === undefined ? {} : { above }),
      }),
    ),
    label:
      chosen.length === 0
        ? of.name
        : `${of.name}(${chosen.map(([name, value]) => `${name}: ${describe(value)}`).join(', ')})`,
  };
}

/** What a uniform accepts, where it is declared and at each call. */
export function knobOf({ element, value, above }: DeclaredUniform): Option<unknown> {
  const range = above === undefined ? {} : { min: above, open: true };
  const make = element === 'int' ? option.integer : option.number;
  return value === undefined ? make({ ...range, optional: true }) : make({ ...range, default: value });
}

/** Every knob with its default, undefined where one must be given. */
export const defaultsOf = (of: Outline): Readonly<Record<string, unknown>> => ({
  ...mapValues(of.options, ({ fallback }) => fallback),
  ...of.sizes,
  ...mapValues(of.uniforms, ({ value }) => value),
});

/** A call that would do: what must be given, or else what may be, at its defaults. */
const example = (of: Outline): string => {
  const needed = Object.entries(of.options).flatMap(([name, { presence }]) =>
    presence === 'needed' ? [`${name}: ...`] : [],
  );
  const free = Object.entries(defaultsOf(of)).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${describe(value)}`],
  );
  const shown = needed.length > 0 ? needed : free;
  return `${callable(of.name)}(${shown.length > 0 ? `{ ${shown.join(', ')} }` : ''})`;
};

/** The name as JavaScript spells it: `scaled-dot` is made by `scaledDot`. */
const callable = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const describe = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value}'`
    : Array.isArray(value)
      ? `[${value.map(describe).join(', ')}]`
      : typeof value === 'object' && value !== null
        ? JSON.stringify(value)
        : String(value);

export const mapValues = <V, R>(
  of: Readonly<Record<string, V>>,
  change: (value: V, name: string) => R,
): Record<string, R> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value, name)]));

const pick = (
  from: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, unknown>>,
): Record<string, unknown> => Object.fromEntries(Object.keys(names).map((name) => [name, from[name]]));
