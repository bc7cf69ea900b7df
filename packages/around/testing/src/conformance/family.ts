// What a family of cases is given, and what it gives back.

import type { Device, Tensor } from '@heed/tensor';
import { parameter, tensor } from '@heed/tensor';
import { type Attributes, unsupported } from './attributes.ts';
import type { Case } from './case.ts';
import { decodeInput, type Files, type Numbers } from './decode.ts';

/** Computes the outputs of a case with the public API, by their names in the case. */
export type Family = (work: Work) => Outputs;
export type Outputs = Readonly<Record<string, Tensor>>;

/** One case at work on a device. */
export interface Work {
  readonly device: Device;
  readonly attributes: Attributes;
  readonly inputs: Inputs;
  /** Whether the case expects this output; some cost extra. */
  readonly wants: (output: string) => boolean;
  /** The shape of an expected output, for cases that drop axes. */
  readonly shapeOf: (output: string) => readonly number[];
}

/** The inputs of a case, as tensors on the device, made when they are first asked for. */
export class Inputs {
  readonly #of: Case;
  readonly #device: Device;
  readonly #files: Files;
  readonly #tensors = new Map<string, Tensor>();
  readonly #read = new Set<string>();

  constructor(of: Case, device: Device, files: Files) {
    this.#of = of;
    this.#device = device;
    this.#files = files;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#of.inputs, name);
  }

  get names(): readonly string[] {
    return Object.keys(this.#of.inputs);
  }

  shape(name: string): readonly number[] {
    return this.#given(name).shape;
  }

  /** The numbers themselves, for what steers a runner: lengths, positions. */
  numbers(name: string): Numbers {
    this.#given(name);
    return decodeInput(this.#of, name, this.#files);
  }

  /** A tensor, tracked where the case expects its gradient. */
  tensor(name: string): Tensor {
    const known = this.#tensors.get(name);
    if (known) return known;
    const { dtype, shape } = this.#given(name);
    const made = tensor(this.#device, this.numbers(name), { dtype, shape });
    const wanted = Object.hasOwn(this.#of.expected, `grad_${name}`) ? parameter(made) : made;
    this.#tensors.set(name, wanted);
    return wanted;
  }

  maybe(name: string): Tensor | undefined {
    return this.has(name) ? this.tensor(name) : undefined;
  }

  #given(name: string): Case['inputs'][string] {
    this.#read.add(name);
    const given = this.has(name) ? this.#of.inputs[name] : undefined;
    return given ?? unsupported(`there is no input "${name}"; given are ${this.names.join(', ') || 'none'}`);
  }

  /** The inputs that nobody read; upstream gradients are read by the runner of cases itself. */
  get unread(): readonly string[] {
    return this.names.filter((name) => !this.#read.has(name) && !name.startsWith('grad_'));
  }
}
