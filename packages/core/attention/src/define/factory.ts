// From a definition to a factory: the one path by which all five kinds of part are made.

import { type Expr, inputsOf, type Sizes, type Type, trace } from '@heed/expr';
import { ValueError } from '@heed/tensor';
import type { Factory, Lengths, Part } from '../part.ts';
import {
  type Context,
  contextOf,
  type Declarations,
  defaultsOf,
  type Inputs,
  type Knobs,
  type Naming,
  type Numbers,
  type Outline,
  outline,
  type Params,
  settle,
  type UniformDeclarations,
} from './declare.ts';
import type { Chosen, Options } from './option.ts';

/** Traces a formula of this part over its context: the way a definition turns functions into expressions. */
export type Tracing<P extends Params, I extends Inputs, U extends UniformDeclarations> = <T extends Type>(
  what: string,
  type: T,
  formula: (
    context: Context<P, I, U>,
    symbol: <S extends Type>(name: string, type: S, along?: readonly string[]) => Expr<S>,
  ) => Expr<T> | number | boolean,
) => Expr<T>;

type Own<P extends Part> = P extends Part
  ? Omit<P, 'kind' | 'part' | 'label' | 'sizes' | 'params' | 'inputs' | 'uniforms' | 'refuse' | 'name'>
  : never;

/** Makes the factory of a kind of part. `make` traces what is particular to the kind. */
export function factory<
  Made extends Part,
  Name extends string,
  O extends Options,
  S extends Sizes,
  P extends Params,
  I extends Inputs,
  U extends UniformDeclarations,
>(
  kind: Made['kind'],
  given: Declarations<Name, O, S, P, I, U>,
  make: (traced: Tracing<P, I, U>, options: Chosen<O>) => Own<Made>,
): Factory<Made, Name, Knobs<O, S, U>> {
  const of: Outline = outline(kind, given);
  const part = (choice: unknown, naming: Naming): Made => {
    const settled = settle(naming, of, choice);
    const options = settled.options as Chosen<O>;
    const numbers = Object.fromEntries(
      Object.entries(settled.uniforms).map(([name, { value }]) => [name, value]),
    ) as Numbers<U>;
    const complaint = given.validate?.(options, numbers);
    if (complaint !== undefined) throw new ValueError(`${naming()}: ${complaint}`);
    const read = new Set<string>();
    const traced: Tracing<P, I, U> = (what, type, formula) => {
      const root = trace(`${kind} "${given.name}"${what}`, type, (declare) =>
        formula(contextOf<P, I, U>(of, settled.uniforms, declare), declare),
      );
      for (const { data } of inputsOf([root])) read.add(data.name);
      return root;
    };
    // Options decide what a formula reads; what it does not read, nobody has to give.
    const own = make(traced, options);
    const whatItReads = <V>(declared: Readonly<Record<string, V>>): Readonly<Record<string, V>> =>
      Object.fromEntries(Object.entries(declared).filter(([name]) => read.has(name)));
    return Object.freeze({
      kind,
      part: given.name,
      label: settled.label,
      sizes: settled.sizes,
      params: whatItReads(of.params),
      inputs: whatItReads(of.inputs),
      uniforms: whatItReads(settled.uniforms),
      refuse: (lengths: Lengths, sizes: Sizes) => given.refuse?.(lengths, options, numbers, sizes) ?? null,
      ...own,
    }) as unknown as Made;
  };
  const naming: Naming = (knob) =>
    `${kind} "${given.name}"${knob === undefined ? '' : `: the option "${knob}"`}`;
  const create = (choice?: Knobs<O, S, U>): Made => part(choice, naming);
  const fromJSON = (choice: unknown, path: string): Made =>
    part(choice, (knob) => (knob === undefined ? path : `${path}.${knob}`));
  return Object.assign(create, {
    kind,
    partName: given.name,
    fromJSON,
    defaults: defaultsOf(of),
  }) as unknown as Factory<Made, Name, Knobs<O, S, U>>;
}
