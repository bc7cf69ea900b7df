// A source for programs that work element by element: tensors' elements, uniforms and places, each one scalar a time.

import type { DType, Uniforms } from '@heed/tensor';
import type { Source } from './expression.ts';
import type { Code, ShaderWriter } from './shader.ts';
import { load } from './storage.ts';

export interface Scalars {
  /** The dtypes of the tensors that are read, by name. */
  readonly inputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  /** The index of a tensor's element. */
  index(tensor: string): string;
  /** Expressions for what else has a name: places, sums, products. */
  readonly known: Readonly<Record<string, string>>;
}

/** Each is read where it is first asked for, once for each expression writer. */
export function scalars(
  shader: ShaderWriter,
  code: Code,
  { inputs, uniforms, index, known }: Scalars,
): Source {
  const refuse = (what: string): never => {
    throw new Error(`${what} cannot be read here.`);
  };
  return {
    group: () => 1,
    scalar: ({ data: { name } }) => {
      if (Object.hasOwn(known, name)) return [known[name] as string];
      const dtype = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (dtype) return [code.let(name, load(shader, name, dtype, index(name)))];
      const type = Object.hasOwn(uniforms, name) ? uniforms[name] : undefined;
      return type ? [code.let(name, shader.uniform(name, type))] : refuse(`"${name}"`);
    },
    element: ({ data }) => refuse(`The vector "${data.name}"`),
    lookup: () => refuse('A table'),
  };
}
