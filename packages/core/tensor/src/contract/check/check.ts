// A call checked against what its program expects, before anything touches memory.

import { describeType, index, inputsOf, sameType, scalar, type Type } from '@heed/expr';
import { BackendError } from '../../errors.ts';
import { sizeOfShape } from '../../shape.ts';
import type { Call, View } from '../backend.ts';
import { dtypes } from '../dtype.ts';
import type { Program, ProgramKind, ProgramOf } from '../program.ts';
import { attendSignature } from './check-attend.ts';
import { gradientSignature } from './check-gradient.ts';
import {
  elements,
  expectAll,
  list,
  type Names,
  places,
  type Signature,
  type Stored,
  storedAs,
  uniformTypes,
} from './signature.ts';

const rankOf = (name: string, shape: readonly number[], rank: number): string | undefined =>
  shape.length === rank ? undefined : `"${name}" with ${rank} axes, got ${list(shape)}`;

const all = (names: readonly string[], shape: readonly number[]) =>
  Object.fromEntries(names.map((name) => [name, shape]));

/** By kind. @param backend its name, for messages. @throws BackendError for a program that contradicts itself. */
export const signatures: {
  readonly [K in ProgramKind]: (program: ProgramOf<K>, backend: string) => Signature;
} = {
  map: ({ rank, inputs, uniforms, results }) => {
    const outputs = Object.fromEntries(Object.entries(results).map(([name, { dtype }]) => [name, dtype]));
    const names = [
      elements(inputs),
      uniformTypes(uniforms),
      places(...Array.from({ length: rank }, (_, i) => `axis${i}`)),
    ];
    return {
      inputs,
      outputs,
      uniforms,
      formulas: Object.entries(results).map(([name, { body, dtype }]) => ({
        what: `result "${name}"`,
        root: body,
        names,
        gives: storedAs(dtype),
      })),
      shapes: (of) => {
        const first = Object.keys(outputs)[0] as string;
        return (
          rankOf(first, of(first), rank) ??
          expectAll(of, all([...Object.keys(inputs), ...Object.keys(outputs)], of(first)))
        );
      },
    };
  },
  reduce: ({ rank, reduced, inputs, uniforms, body, by, finish, dtype }) => {
    const total = by === 'argmax' || by === 'argmin' ? index : scalar;
    return {
      inputs,
      outputs: { out: dtype },
      uniforms,
      formulas: [
        { what: 'body', root: body, names: [elements(inputs), uniformTypes(uniforms)], gives: scalar },
        {
          what: 'finish',
          root: finish,
          names: [{ total }, places('count'), uniformTypes(uniforms)],
          gives: storedAs(dtype),
        },
      ],
      shapes: (of) => {
        const [first] = Object.keys(inputs);
        if (first === undefined) return 'an input to reduce, got none';
        const shape = of(first);
        return (
          rankOf(first, shape, rank + reduced) ??
          expectAll(of, { ...all(Object.keys(inputs), shape), out: shape.slice(0, rank) })
        );
      },
    };
  },
  row: ({ rank, inputs, uniforms, reductions, results }) => {
    const common = [uniformTypes(uniforms), places('length')];
    const known = (count: number): Names =>
      Object.fromEntries(reductions.slice(0, count).map(({ name }) => [name, scalar]));
    return {
      inputs,
      outputs: Object.fromEntries(Object.entries(results).map(([name, { dtype }]) => [name, dtype])),
      uniforms,
      formulas: [
        ...reductions.map(({ name, body }, i) => ({
          what: `reduction "${name}"`,
          root: body,
          names: [elements(inputs), ...common, known(i)],
          gives: scalar as Type,
        })),
        ...Object.entries(results).map(([name, { per, body, dtype }]) => ({
          what: `result "${name}"`,
          root: body,
          names: [...(per === 'row' ? [] : [elements(inputs)]), ...common, known(reductions.length)],
          gives: storedAs(dtype),
        })),
      ],
      shapes: (of) => {
        const [first] = Object.keys(inputs);
        if (first === undefined) return 'at least one input, got none';
        const shape = of(first);
        const targets = Object.entries(results).map(([name, { per }]) => [
          name,
          per === 'row' ? shape.slice(0, rank) : shape,
        ]);
        return (
          rankOf(first, shape, rank + 1) ??
          expectAll(of, { ...all(Object.keys(inputs), shape), ...Object.fromEntries(targets) })
        );
      },
    };
  },
  matmul: ({ rank, a, b, inputs, uniforms, epilogue, dtype }) => ({
    inputs: { ...inputs, a, b },
    outputs: { out: dtype },
    uniforms,
    formulas: [
      {
        what: 'epilogue',
        root: epilogue,
        names: [{ product: scalar }, elements(inputs), uniformTypes(uniforms)],
        gives: storedAs(dtype),
      },
    ],
    shapes: (of) => {
      const [left, out] = [of('a'), of('out')];
      const wrong = rankOf('a', left, rank + 2) ?? rankOf('out', out, rank + 2);
      if (wrong) return wrong;
      const batch = left.slice(0, rank);
      const [rows, inner, columns] = [left[rank], left[rank + 1], out[rank + 1]] as [number, number, number];
      const whole = [...batch, rows, columns];
      return expectAll(of, { b: [...batch, inner, columns], ...all(Object.keys(inputs), whole), out: whole });
    },
  }),
  gather: ({ outer, inner, dtype }) => ({
    inputs: { data: dtype, index: 'int32' },
    outputs: { out: dtype },
    uniforms: {},
    formulas: [],
    shapes: (of) =>
      rankOf('data', of('data'), outer + 1 + inner) ??
      rankOf('index', of('index'), outer + 1 + inner) ??
      expectAll(of, { out: of('index'), data: of('index').with(outer, of('data')[outer] as number) }),
  }),
  'scatter-add': ({ outer, inner, dtype }) => ({
    inputs: { source: dtype, index: 'int32' },
    outputs: { out: dtype },
    uniforms: {},
    formulas: [],
    shapes: (of) =>
      rankOf('out', of('out'), outer + 1 + inner) ??
      rankOf('index', of('index'), outer + 1 + inner) ??
      expectAll(of, { source: of('index'), out: of('index').with(outer, of('out')[outer] as number) }),
  }),
  attend: attendSignature,
  'attend-gradient': gradientSignature,
};

/** What the formulas of a program may read and must give. @throws BackendError for a program that contradicts itself. */
export function checkProgram(backend: string, program: Program, { formulas, outputs }: Signature): void {
  const refuse = (what: string, expected: string): never => {
    throw new BackendError(`${backend}: ${program.kind}: ${what}expected ${expected}.`);
  };
  if (Object.keys(outputs).length === 0) refuse('', 'at least one result, got none');
  for (const { what, root, names, gives } of formulas) {
    const known = new Map<string, Type>();
    for (const [name, type] of names.flatMap((group) => Object.entries(group))) {
      if (known.has(name)) refuse('', `every name to mean one thing, got "${name}" twice`);
      known.set(name, type);
    }
    for (const { data, type } of inputsOf([root])) {
      const meant = known.get(data.name);
      if (!meant)
        refuse(`${what}: `, `a name among ${[...known.keys()].join(', ') || 'none'}, got "${data.name}"`);
      else if (!sameType(meant, type))
        refuse(`${what}: `, `"${data.name}" to be read as ${describeType(meant)}, got ${describeType(type)}`);
    }
    if (!sameType(root.type, gives))
      refuse(`${what}: `, `a formula that gives ${describeType(gives)}, got ${describeType(root.type)}`);
  }
}

/** @throws BackendError for names too many or too few, other dtypes or shapes, or views that reach outside their memory. */
export function checkCall(
  backend: string,
  kind: string,
  signature: Signature,
  { inputs, outputs, uniforms, sizes }: Call,
): void {
  const refuse = (expected: string): never => {
    throw new BackendError(`${backend}: ${kind}: expected ${expected}.`);
  };
  checkNames(refuse, 'uniforms', signature.uniforms, uniforms);
  for (const [name, type] of Object.entries(signature.uniforms)) {
    const value = uniforms[name] as number;
    if (type === 'int' && value !== (value | 0)) refuse(`uniform "${name}" to be a 32-bit int, got ${value}`);
  }
  checkNames(
    refuse,
    'sizes',
    Object.fromEntries((signature.sizes ?? []).map((name) => [name, 0])),
    signature.sizes ? sizes : {},
  );
  checkNames(refuse, 'inputs', signature.inputs, inputs);
  checkNames(refuse, 'outputs', signature.outputs, outputs);
  const check = (views: Call['inputs'], stored: Stored): void => {
    for (const [name, dtype] of Object.entries(stored)) {
      const view = views[name] as View;
      if (view.dtype !== dtype) refuse(`"${name}" to be ${dtype}, got ${view.dtype}`);
      checkView(refuse, name, view);
    }
  };
  check(inputs, signature.inputs);
  check(outputs, signature.outputs);
  const given = { ...outputs, ...inputs };
  const wrong = signature.shapes(
    (name, side) => ((side === 'output' ? outputs : given)[name] as View).shape,
    sizes,
  );
  if (wrong) refuse(wrong);
}

function checkNames(refuse: (expected: string) => never, what: string, expected: object, got: object): void {
  const names = Object.keys(expected);
  const found = Object.keys(got);
  if (names.length === found.length && names.every((name) => Object.hasOwn(got, name))) return;
  refuse(`the ${what} ${names.join(', ') || 'none'}, got ${found.join(', ') || 'none'}`);
}

function checkView(refuse: (expected: string) => never, name: string, view: View): void {
  const { allocation, dtype, shape, strides, offset } = view;
  let [low, high] = [offset, offset];
  for (const [axis, size] of shape.entries()) {
    const reach = (size - 1) * (strides[axis] as number);
    if (reach < 0) low += reach;
    else high += reach;
  }
  const whole = strides.length === shape.length && Number.isSafeInteger(low) && Number.isSafeInteger(high);
  const fits = low >= 0 && (high + 1) * dtypes[dtype].bytes <= allocation.bytes;
  if (shape.every((size) => size >= 0) && whole && (sizeOfShape(shape) === 0 || fits)) return;
  refuse(
    `"${name}" to lie inside its ${allocation.bytes} bytes, got shape ${list(shape)}, strides ${list(strides)}, offset ${offset} of ${dtype}`,
  );
}
