// Formulas of a program, checked against the names they may read and made ready to be computed again and again.

import {
  bool,
  type Cursor,
  describeType,
  type Evaluator,
  type Expr,
  evaluator,
  index,
  inputsOf,
  type Sizes,
  sameType,
  scalar,
  type TableValue,
  type Type,
} from '@heed/expr';
import { BackendError, type DType, dtypes, type Uniforms } from '@heed/tensor';

/** What formulas may read: names and their types. */
export type Names = Readonly<Record<string, Type>>;

const ofElement = { float: scalar, int: index, bool } as const;

/** Tensors that are read one element at a time. */
export const elements = (inputs: Readonly<Record<string, DType>>): Names =>
  Object.fromEntries(Object.entries(inputs).map(([name, dtype]) => [name, ofElement[dtypes[dtype].element]]));

export const uniformNames = (uniforms: Uniforms): Names =>
  Object.fromEntries(Object.entries(uniforms).map(([name, kind]) => [name, ofElement[kind]]));

/** Ints that the backend supplies. */
export const places = (...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, index]));

/** All names together. @throws BackendError for a name that means two things. */
export function namesOf(where: string, ...groups: readonly Names[]): Names {
  const all: Record<string, Type> = {};
  for (const group of groups) {
    for (const [name, type] of Object.entries(group)) {
      if (Object.hasOwn(all, name)) {
        throw new BackendError(
          `reference: ${where}: expected every name to mean one thing, got "${name}" twice.`,
        );
      }
      all[name] = type;
    }
  }
  return all;
}

/** @throws BackendError for a formula that reads a name it may not, or reads it as another type. */
export function checkFormula(where: string, root: Expr, names: Names): void {
  for (const { data, type } of inputsOf([root])) {
    const known = Object.hasOwn(names, data.name) ? names[data.name] : undefined;
    if (known && sameType(known, type)) continue;
    const expected = known
      ? `"${data.name}" to be read as ${describeType(known)}, got ${describeType(type)}`
      : `a name among ${Object.keys(names).join(', ') || 'none'}, got "${data.name}"`;
    throw new BackendError(`reference: ${where}: expected ${expected}.`);
  }
}

/** @throws BackendError for a formula that gives another type than it should. */
export function checkType(where: string, root: Expr, type: Type): void {
  if (sameType(root.type, type)) return;
  throw new BackendError(
    `reference: ${where}: expected a formula that gives ${describeType(type)}, got ${describeType(root.type)}.`,
  );
}

/** @throws BackendError unless the formula gives one element of what is stored. */
export function checkStored(where: string, root: Expr, dtype: DType): void {
  checkType(`${where}, stored as ${dtype}`, root, ofElement[dtypes[dtype].element]);
}

/** Formulas ready to run. @throws BackendError for a dim without a size. */
export function prepare(where: string, roots: readonly Expr[], sizes: Sizes = {}): Evaluator {
  try {
    return evaluator(roots, sizes);
  } catch (cause) {
    throw new BackendError(`reference: ${where}: ${(cause as Error).message}`, { cause });
  }
}

/** Gives an input its numbers, and the cursor that moves along them; undefined where no formula reads it. */
export function feed(ready: Evaluator, name: string, value: TableValue): Cursor | undefined {
  return ready.inputs.some(({ data }) => data.name === name) ? ready.set(name, value) : undefined;
}

/** Numbers that change between runs: what their cells hold when formulas run counts. */
export function feedCells(ready: Evaluator, cells: Readonly<Record<string, Float64Array>>): void {
  for (const [name, data] of Object.entries(cells)) feed(ready, name, { sizes: [], data });
}

export function feedNumbers(ready: Evaluator, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) feed(ready, name, { sizes: [], data: [value] });
}

/** Tensors read one element at a time: a function that moves all of them to an element. */
export function feedElements(
  ready: Evaluator,
  all: Readonly<Record<string, Float64Array>>,
): (element: number) => void {
  // An empty tensor has no element to move to.
  const some = Object.entries(all).filter(([, data]) => data.length > 0);
  const cursors = some.flatMap(([name, data]) => feed(ready, name, { sizes: [], data }) ?? []);
  return (element) => {
    for (const cursor of cursors) cursor.offset = element;
  };
}
