// What each kind of program is to the backend: what a call must bring, and how it is carried out.

import type { Program } from '@heed/tensor';
import type { Operands, Signature } from './operands.ts';

export interface Interpreter {
  readonly signature: Signature;
  run(operands: Operands): void;
}

/** Checks a program and makes it ready. @throws BackendError for a program that contradicts itself. */
export type Interpret<P extends Program> = (program: P) => Interpreter;

/** The tensors of a program's inputs, row-major. */
export const readAll = (operands: Operands, names: readonly string[]): Record<string, Float64Array> =>
  Object.fromEntries(names.map((name) => [name, operands.input(name).read()]));
