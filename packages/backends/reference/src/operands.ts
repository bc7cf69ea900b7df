// A call that was checked against what its program expects: the only door through which interpreters reach memory.

import {
  BackendError,
  type Call,
  type DType,
  dtypes,
  type HeedError,
  type Uniforms,
  type View,
} from '@heed/tensor';
import { cells } from './cells.ts';
import type { Memory } from './memory.ts';
import { checkView, dense, eachPlace, extent, store } from './strided.ts';

/** What a call of a program must bring. */
export interface Signature {
  /** The kind of program, for messages. */
  readonly where: string;
  readonly inputs: Readonly<Record<string, DType>>;
  readonly outputs: Readonly<Record<string, DType>>;
  readonly uniforms: Uniforms;
  readonly sizes: readonly string[];
}

/** One tensor of a call. */
export class Operand {
  readonly shape: readonly number[];
  readonly #memory: Memory;
  readonly #view: View;
  readonly #where: string;

  constructor(memory: Memory, view: View, where: string) {
    this.#memory = memory;
    this.#view = view;
    this.#where = where;
    this.shape = view.shape;
  }

  /** All elements, row-major. */
  read(): Float64Array {
    return dense(this.#memory, this.#view, this.#where);
  }

  /** Reads single elements, counted row-major: for programs that look at a part of a tensor. */
  pick(): (element: number) => number {
    const { dtype, allocation, shape, strides, offset } = this.#view;
    const from = cells[dtype](this.#memory.buffer(allocation, this.#where));
    return (element) => {
      let at = offset;
      for (let axis = shape.length - 1, rest = element; axis >= 0; axis--) {
        const size = shape[axis]!;
        at += (rest % size) * strides[axis]!;
        rest = Math.floor(rest / size);
      }
      return from.read(at);
    };
  }

  /** Stores all elements, given row-major. */
  write(all: Float64Array): void {
    store(this.#memory, this.#view, all, this.#where);
  }

  /** @throws BackendError unless the shape is this one, which `meaning` puts in words. */
  expectShape(shape: readonly number[], meaning: string): void {
    if (this.shape.length === shape.length && this.shape.every((size, axis) => size === shape[axis])) return;
    throw new BackendError(
      `reference: ${this.#where}: expected ${meaning} = [${shape.join(', ')}], got [${this.shape.join(', ')}].`,
    );
  }

  /** @throws BackendError unless it has this many axes, which `meaning` puts in words. */
  expectRank(rank: number, meaning: string): void {
    if (this.shape.length === rank) return;
    throw new BackendError(
      `reference: ${this.#where}: expected ${meaning}, ${rank} axes, got [${this.shape.join(', ')}].`,
    );
  }
}

export class Operands {
  readonly uniforms: Readonly<Record<string, number>>;
  readonly sizes: Readonly<Record<string, number>>;
  readonly #inputs: ReadonlyMap<string, Operand>;
  readonly #outputs: ReadonlyMap<string, Operand>;
  /** Reports what the next read will reject with. */
  readonly fault: (problem: HeedError) => void;

  /** @throws BackendError for a name too many or too few, another dtype, a view outside its memory, an overlap. */
  constructor(memory: Memory, signature: Signature, call: Call, fault: (problem: HeedError) => void) {
    const { where } = signature;
    sameNames(`${where}: uniforms`, Object.keys(signature.uniforms), call.uniforms);
    sameNames(`${where}: sizes`, signature.sizes, call.sizes);
    for (const [name, kind] of Object.entries(signature.uniforms)) {
      const value = call.uniforms[name] as number;
      if (kind === 'int' && value !== (value | 0)) {
        throw new BackendError(
          `reference: ${where}: uniform "${name}": expected a 32-bit int, got ${value}.`,
        );
      }
    }
    for (const name of signature.sizes) {
      const size = call.sizes[name] as number;
      if (!Number.isSafeInteger(size) || size < 0) {
        throw new BackendError(`reference: ${where}: size "${name}": expected a whole number, got ${size}.`);
      }
    }
    const check = (side: 'input' | 'output', types: Signature['inputs'], views: Call['inputs']) => {
      sameNames(`${where}: ${side}s`, Object.keys(types), views);
      const all = Object.entries(types).map(([name, dtype]): [string, Operand] => {
        const view = views[name] as View;
        const which = `${where}: ${side} "${name}"`;
        if (view.dtype !== dtype) {
          throw new BackendError(`reference: ${which}: expected ${dtype}, got ${view.dtype}.`);
        }
        checkView(memory, view, which);
        return [name, new Operand(memory, view, which)];
      });
      return new Map(all);
    };
    this.#inputs = check('input', signature.inputs, call.inputs);
    this.#outputs = check('output', signature.outputs, call.outputs);
    noOverlap(where, call);
    this.uniforms = call.uniforms;
    this.sizes = call.sizes;
    this.fault = fault;
  }

  /** A tensor that the signature asks for. */
  input(name: string): Operand {
    return this.#inputs.get(name)!;
  }

  /** A result that the signature asks for. */
  output(name: string): Operand {
    return this.#outputs.get(name)!;
  }
}

function sameNames(where: string, expected: readonly string[], got: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(got).filter((name) => got[name] !== undefined);
  const same = names.length === expected.length && expected.every((name) => names.includes(name));
  if (same) return;
  const list = (all: readonly string[]) => (all.length === 0 ? 'none' : all.join(', '));
  throw new BackendError(`reference: ${where}: expected ${list(expected)}, got ${list(names)}.`);
}

// Kernels of other backends may write in any order and read after writing: whoever relies on an order must learn it here.
function noOverlap(where: string, call: Call): void {
  const outputs = Object.entries(call.outputs);
  for (const [name, output] of outputs) {
    if (output.shape.includes(0)) continue;
    const touched = new Set<number>();
    const refuse = (whom: string): never => {
      throw new BackendError(
        `reference: ${where}: output "${name}" overlaps ${whom}. Give it memory of its own.`,
      );
    };
    if (output.strides.some((stride, axis) => stride === 0 && (output.shape[axis] as number) > 1))
      refuse('itself');
    const others = [
      ...Object.entries(call.inputs).map(([other, view]) => ({ other: `input "${other}"`, view })),
      ...outputs
        .filter(([other]) => other < name)
        .map(([other, view]) => ({ other: `output "${other}"`, view })),
    ];
    for (const { other, view } of others) {
      if (view.allocation !== output.allocation || !meet(bytesOf(view), bytesOf(output))) continue;
      // The ranges meet; interleaved views still need not. Only then is it worth looking at each element.
      if (touched.size === 0) eachByte(output, (byte) => touched.add(byte));
      eachByte(view, (byte) => {
        if (touched.has(byte)) refuse(other);
      });
    }
  }
}

type Range = ReturnType<typeof bytesOf>;
const meet = (a: Range, b: Range): boolean => a.low < b.high && b.low < a.high;
const bytesOf = (view: View) => {
  const { low, high } = extent(view);
  return { low: low * width(view), high: high * width(view) };
};
const width = (view: View): number => dtypes[view.dtype].bytes;

function eachByte(view: View, visit: (byte: number) => void): void {
  const bytes = width(view);
  eachPlace(view, (at) => {
    for (let byte = 0; byte < bytes; byte++) visit(at * bytes + byte);
  });
}
