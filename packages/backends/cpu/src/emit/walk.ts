// Going through the outer axes of a call: an odometer whose digits are coordinates and which keeps a pointer for each
// tensor.

import type { Body } from './kernel.ts';
import type { Label, Local } from './wasm/index.ts';

export class Walk {
  readonly #body: Body;
  readonly #axes: readonly number[];
  readonly #tensors: readonly string[];
  /** Where each tensor's current element lies. */
  readonly pointers: ReadonlyMap<string, Local<'i32'>>;
  /** The coordinate along each axis. */
  readonly digits: ReadonlyMap<number, Local<'i32'>>;

  /** @param axes axes of the call's geometry, the outermost first. */
  constructor(body: Body, axes: readonly number[], tensors: readonly string[]) {
    const { code } = body;
    this.#body = body;
    this.#axes = axes;
    this.#tensors = tensors;
    this.pointers = new Map(tensors.map((tensor) => [tensor, code.local('i32')]));
    this.digits = new Map(axes.map((axis) => [axis, code.local('i32')]));
  }

  /** Goes to the given unit, counted row-major from the tensors' beginning. */
  seek(unit: Local<'i32'>): void {
    const { code, frame, writer } = this.#body;
    for (const tensor of this.#tensors)
      code.set(this.#pointer(tensor), code.load('i32.load', frame, writer.word({ of: 'address', tensor })));
    const rest = code.let('i32', unit);
    for (const axis of this.#axes.toReversed()) {
      const digit = this.#digit(axis);
      const size = code.let('i32', this.#size(axis));
      code.set(digit, code.op('i32.rem_u', rest, size));
      code.set(rest, code.op('i32.div_u', rest, size));
      for (const tensor of this.#tensors) {
        const pointer = this.#pointer(tensor);
        code.set(pointer, code.op('i32.add', code.op('i32.mul', this.#stride(tensor, axis), digit), pointer));
      }
    }
  }

  /** Begins at the given pointers. */
  begin(at: ReadonlyMap<string, Local<'i32'>>): void {
    const { code } = this.#body;
    for (const tensor of this.#tensors) code.set(this.#pointer(tensor), at.get(tensor) as Local<'i32'>);
    for (const axis of this.#axes) code.set(this.#digit(axis), 0);
  }

  /** Goes one further and branches to `again`, or goes on behind where all have been visited. */
  next(again: Label): void {
    const { code } = this.#body;
    for (const axis of this.#axes.toReversed()) {
      const digit = this.#digit(axis);
      for (const tensor of this.#tensors) {
        const pointer = this.#pointer(tensor);
        code.set(pointer, code.op('i32.add', this.#stride(tensor, axis), pointer));
      }
      code.set(digit, code.op('i32.add', digit, 1));
      code.branchIf(again, code.op('i32.lt_u', code.get(digit), this.#size(axis)));
      for (const tensor of this.#tensors) {
        const pointer = this.#pointer(tensor);
        const back = code.let('i32', code.op('i32.mul', this.#stride(tensor, axis), digit));
        code.set(pointer, code.op('i32.sub', pointer, back));
      }
      code.set(digit, 0);
    }
  }

  #pointer(tensor: string): Local<'i32'> {
    return this.pointers.get(tensor) as Local<'i32'>;
  }

  #digit(axis: number): Local<'i32'> {
    return this.digits.get(axis) as Local<'i32'>;
  }

  #size(axis: number) {
    const { code, frame, writer } = this.#body;
    return code.load('i32.load', frame, writer.word({ of: 'size', axis }));
  }

  #stride(tensor: string, axis: number) {
    const { code, frame, writer } = this.#body;
    return code.load('i32.load', frame, writer.word({ of: 'stride', tensor, axis }));
  }
}

/** Does the units [begin, end) of the body's function, one after the other, with the walk at each. */
export function eachUnit({ code, begin, end }: Body, walk: Walk, write: () => void): void {
  code.block((exit) => {
    code.branchIf(exit, code.op('i32.ge_u', begin, end));
    walk.seek(begin);
    code.loop((again) => {
      write();
      code.set(begin, code.op('i32.add', begin, 1));
      code.branchIf(exit, code.op('i32.ge_u', begin, end));
      walk.next(again);
    });
  });
}
