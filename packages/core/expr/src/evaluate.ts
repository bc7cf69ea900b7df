// The value of an expression in float64: slow and obvious, the oracle that everything else is compared with.

import { ExpressionError } from './error.ts';
import type { Places, Step } from './loops.ts';
import { measure } from './measure.ts';
import { asNode, type Expr, type Node, type NodeOf } from './node.ts';
import { makers } from './steps.ts';
import { type Bool, describeType, type Sizes, sameType, sizeOf, type Type } from './type.ts';
import { attach, shapeOf, type TableValue, type Value, type View, viewFor } from './value.ts';
import { inputsOf, reachable } from './walk.ts';

/** What a type's value looks like when it is read. Matrices are row-major. */
export type Result<T extends Type> = number extends T['lookups']
  ? Value
  : T['lookups'] extends 0
    ? T['dims'] extends readonly []
      ? Expr<T> extends Expr<Bool>
        ? boolean
        : number
      : readonly number[]
    : TableValue;

/** Where an input's numbers are read. A caller may move it between runs, by hand and unchecked. */
export interface Cursor {
  data: ArrayLike<number>;
  offset: number;
}

/** Expressions made ready to be computed again and again. */
export interface Evaluator {
  /** The inputs to be set. */
  readonly inputs: readonly NodeOf<'input'>[];
  /**
   * Gives an input its value, kept until it is set again. Arrays are not copied: what they hold when `run` is called
   * counts. The cursor returned can be moved to pass from row to row.
   *
   * @throws ExpressionError for an unknown name, and for a value of another kind or length.
   */
  set(name: string, value: Value): Cursor;
  /** Computes all roots. @throws ExpressionError naming an input that was never set. */
  run(): void;
  /** The number of a scalar root; a bool as 0 or 1. */
  number(root?: number): number;
  /** A copy of the value of a root. */
  value(root?: number): Value;
  /** The place of a root's numbers, valid until the next run; element [row][column] of a vector or matrix. */
  view(root?: number): Readonly<View>;
}

/**
 * Prepares the roots for evaluation, sharing what they have in common. Both branches of a `select` are computed, and the
 * one not taken cannot reach the result.
 *
 * @param sizes the size of every dim that the roots and their inputs mention.
 * @throws ExpressionError for a dim without a size and for a slice that does not fit.
 */
export function evaluator(roots: readonly Expr[], sizes: Sizes = {}): Evaluator {
  const nodes = [...reachable(roots.map(asNode))];
  const cells = new Float64Array(nodes.length);
  const cellOf = new Map(nodes.map((node, i) => [node, i]));
  const inputs = new Map<string, { view: View; type: Type; shape: readonly number[] }>();
  const unset = new Set<string>();
  const views = new Map<Node, View>();
  for (const [i, node] of nodes.entries()) {
    const shape = shapeOf(node.type, sizes, node.op === 'input' ? `input "${node.data.name}"` : node.op);
    const view = viewFor(shape, cells);
    if (shape.length === 0) view.offset = i;
    views.set(node, view);
  }
  const view = (node: Node): View => views.get(node) as View;
  const cell = (node: Node): number => cellOf.get(node) as number;

  // What is given for a scalar lies outside `cells`, which its users read: a step brings it in.
  const fetch = (node: NodeOf<'input'>): Step | undefined => {
    const { name } = node.data;
    const shape = shapeOf(node.type, sizes, `input "${name}"`);
    const input = inputs.get(name) ?? { view: viewFor(shape, cells), type: node.type, shape };
    if (!sameType(input.type, node.type)) {
      const kinds = `${describeType(input.type)} and as ${describeType(node.type)}`;
      throw new ExpressionError(
        `evaluate: input "${name}" is used as ${kinds}; expected one type for one name.`,
      );
    }
    inputs.set(name, input);
    unset.add(name);
    const given = input.view;
    if (shape.length > 0 || node.type.lookups > 0) {
      views.set(node as Node, given);
      return undefined;
    }
    const out = cell(node as Node);
    return () => {
      cells[out] = given.data[given.offset] as number;
    };
  };

  const places: Places = {
    cells,
    cell,
    view,
    own: (node: Node): Float64Array => {
      const place = view(node);
      const storage = new Float64Array(place.rows * place.columns);
      place.data = storage;
      return storage;
    },
    size: (node: Node, dim: string): number => {
      const size = sizeOf(dim, sizes);
      if (size === undefined)
        throw new ExpressionError(`evaluate: ${node.op}: expected a size for dim "${dim}", got none.`);
      return size;
    },
    fetch,
  };
  const steps: Step[] = [];
  for (const node of nodes) {
    const make = makers[node.op] as (node: Node, at: Places) => Step | undefined;
    const step = make(node, places);
    if (step) steps.push(step);
  }

  const rootAt = (root: number): Node => asNode(roots[root] as Expr);
  return {
    inputs: inputsOf(roots),
    set(name, value) {
      const input = inputs.get(name);
      if (!input) {
        const names = [...inputs.keys()].join(', ') || 'none';
        throw new ExpressionError(`evaluate: expected the name of an input (${names}), got "${name}".`);
      }
      attach(input.view, name, input.type, input.shape, value);
      unset.delete(name);
      return input.view;
    },
    run() {
      if (unset.size > 0) {
        const [name = ''] = unset;
        const { type } = inputs.get(name) as { type: Type };
        throw new ExpressionError(`evaluate: input "${name}": expected ${describeType(type)}, got nothing.`);
      }
      for (const step of steps) step();
    },
    number: (root = 0) => cells[cell(rootAt(root))] as number,
    value: (root = 0) => valueAt(rootAt(root).type, view(rootAt(root))),
    view: (root = 0) => view(rootAt(root)),
  };
}

/**
 * The value of an expression. Sizes that are not given are read off the values of the inputs where these settle them.
 *
 * | question | answer |
 * |---|---|
 * | ints | 32-bit two's complement, wrapping; floorDiv and mod by zero give 0 |
 * | toInt | rounds down, saturates; NaN gives 0 |
 * | float mod, floorDiv | a - b * floor(a / b), floor(a / b), with what IEEE 754 makes of zeros and infinities |
 * | comparisons with NaN | false, but for `ne` |
 * | minimum, maximum, max, min with NaN | NaN |
 * | at, pick outside | zero, or a zero row |
 * | max, min, sum, norm, dot of no elements | -infinity, infinity, 0, 0, 0 |
 * | select | elements not taken cannot reach the result, whatever they are |
 * | random | Threefry-2x32-20, the first word's upper 24 bits over 2^24 |
 *
 * @throws ExpressionError for an input that is missing or of another kind or length, and for a dim without a size.
 */
export function evaluate<T extends Type>(
  root: Expr<T>,
  values: Readonly<Record<string, Value>> = {},
  sizes: Sizes = {},
): Result<T> {
  const ready = evaluator([root], measure(inputsOf([root]), values, sizes));
  for (const { data } of ready.inputs)
    if (Object.hasOwn(values, data.name)) ready.set(data.name, values[data.name] as Value);
  ready.run();
  return ready.value() as Result<T>;
}

function valueAt(type: Type, view: View): Value {
  const table = type.lookups > 0;
  const sizes = table ? view.lookups : [];
  const numbers = entries(sizes, view.lookupStrides, view.offset).flatMap((from) => read(view, from));
  if (table) return { sizes, data: numbers };
  if (type.dims.length > 0) return numbers;
  return type.element === 'bool' ? numbers[0] !== 0 : (numbers[0] as number);
}

const entries = (sizes: readonly number[], strides: readonly number[], from: number): number[] =>
  sizes.reduce(
    (places, size, axis) =>
      places.flatMap((place) =>
        Array.from({ length: size }, (_, i) => place + i * (strides[axis] as number)),
      ),
    [from],
  );

function read(view: View, from: number): number[] {
  const numbers: number[] = [];
  for (let row = 0; row < view.rows; row++) {
    for (let column = 0; column < view.columns; column++) {
      numbers.push(view.data[from + row * view.rowStride + column * view.columnStride] as number);
    }
  }
  return numbers;
}
