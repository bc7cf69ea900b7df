// One expression, evaluated at one place of a scene.

import { type Evaluator, type Expr, evaluator } from '@heed/expr';
import type { Axis } from '@heed/tensor';
import type { AxisLengths, Field, Scene } from './scene.ts';

/** Where in an attention: a position along each axis. */
export type Position = Readonly<Partial<Record<Axis, number>>>;

const lengthPlaces: Readonly<Record<string, Axis>> = {
  batches: 'batch',
  heads: 'head',
  keyHeads: 'keyHead',
  queryLength: 'query',
  keyLength: 'key',
};

const axes: ReadonlySet<string> = new Set<Axis>(['batch', 'head', 'keyHead', 'query', 'key']);

/** Evaluates an expression at positions. `stages` are the values of other stages: `score`, `level`, `maximum`. */
export class Formula {
  readonly #evaluator: Evaluator;
  readonly #scene: Scene;

  constructor(root: Expr, scene: Scene) {
    this.#evaluator = evaluator([root], scene.sizes);
    this.#scene = scene;
  }

  number(at: Position, stages: Readonly<Record<string, number>> = {}): number {
    this.#prepare(at, stages);
    return this.#evaluator.number();
  }

  /** The elements of a vector, or the one number of a scalar. */
  numbers(at: Position): ArrayLike<number> {
    this.#prepare(at, {});
    const value = this.#evaluator.value();
    if (typeof value === 'number' || typeof value === 'boolean') return [Number(value)];
    return 'data' in value ? value.data : value;
  }

  #prepare(at: Position, stages: Readonly<Record<string, number>>): void {
    const { fields, uniforms, lengths } = this.#scene;
    for (const { type, data } of this.#evaluator.inputs) {
      const { name } = data;
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field) this.#evaluator.set(name, valueAt(field, at, lengths));
      else {
        const number = numberOf(name, at, lengths, { ...uniforms, ...stages });
        this.#evaluator.set(name, type.element === 'bool' ? number !== 0 : number);
      }
    }
    this.#evaluator.run();
  }
}

function numberOf(
  name: string,
  at: Position,
  lengths: AxisLengths,
  named: Readonly<Record<string, number>>,
): number {
  const place = axes.has(name) ? at[name as Axis] : undefined;
  const length = lengthPlaces[name];
  const number = place ?? (length ? lengths[length] : named[name]);
  if (number === undefined) throw new Error(`the formula reads "${name}", which the scene does not hold`);
  return number;
}

function valueAt({ type, along, shape, data }: Field, at: Position, lengths: AxisLengths) {
  const inner = shape.slice(along.length);
  const count = inner.reduce((all, one) => all * one, 1);
  let offset = 0;
  for (const [i, axis] of along.entries()) {
    const size = shape[i] as number;
    // An axis of one repeats.
    offset = offset * size + (size === 1 && lengths[axis] !== 1 ? 0 : (at[axis] as number));
  }
  const start = offset * count;
  if (type.lookups === 0 && type.dims.length === 0) {
    const one = data[start] as number;
    return type.element === 'bool' ? one !== 0 : one;
  }
  return { sizes: inner.slice(0, type.lookups), data, offset: start };
}
