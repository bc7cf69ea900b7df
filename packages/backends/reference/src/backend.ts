// The backend: programs become kernels, and kernels run at once.

import {
  type Allocation,
  type Backend,
  BackendError,
  type Call,
  type DType,
  describeProgram,
  dtypes,
  type HeedError,
  type Kernel,
  type Program,
  type ProgramKind,
  type ProgramOf,
} from '@heed/tensor';
import { interpretAttend } from './attend.ts';
import { interpretAttendGradient } from './attend-gradient.ts';
import { interpretGather, interpretScatterAdd } from './gather.ts';
import type { Interpret, Interpreter } from './interpreter.ts';
import { interpretMap } from './map.ts';
import { interpretMatmul } from './matmul.ts';
import { Memory } from './memory.ts';
import { Operands } from './operands.ts';
import { interpretReduce } from './reduce.ts';
import { interpretRow } from './row.ts';

const interpreters: { readonly [K in ProgramKind]: Interpret<ProgramOf<K>> } = {
  map: interpretMap,
  reduce: interpretReduce,
  row: interpretRow,
  matmul: interpretMatmul,
  gather: interpretGather,
  'scatter-add': interpretScatterAdd,
  attend: interpretAttend,
  'attend-gradient': interpretAttendGradient,
};

/** Interprets every program in float64. `run` executes at once; a fault waits for the next `read`. */
export class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly limits;
  readonly #memory: Memory;
  readonly #kernels = new WeakMap<Kernel, Interpreter>();
  #fault: HeedError | undefined;

  /** @param bytes how much memory may be held at once. */
  constructor(bytes: number) {
    this.#memory = new Memory(bytes);
    this.limits = { dtypes: Object.keys(dtypes) as DType[], allocationBytes: bytes };
  }

  supports(): true {
    return true;
  }

  /** @throws BackendError for a program that contradicts itself. */
  compile(program: Program): Kernel {
    const interpret = interpreters[program.kind] as Interpret<Program> | undefined;
    if (!interpret) {
      const kinds = Object.keys(interpreters).join(', ');
      throw new BackendError(
        `reference: compile: expected a program of kind ${kinds}, got "${program.kind}".`,
      );
    }
    const kernel: Kernel = Object.freeze({
      program,
      source: describeProgram(program),
      notes: ['interpreted in float64'],
    });
    this.#kernels.set(kernel, interpret(program));
    return kernel;
  }

  allocate(bytes: number): Allocation {
    return this.#memory.allocate(bytes);
  }

  write(to: Allocation, bytes: Uint8Array, byteOffset = 0): void {
    this.#memory.range(to, byteOffset, bytes.length, 'write').set(bytes);
  }

  /** @throws BackendError for a call that its program did not ask for. */
  run(kernel: Kernel, call: Call): void {
    const interpreter = this.#kernels.get(kernel);
    if (!interpreter) {
      throw new BackendError(
        `reference: run: expected a kernel that this backend compiled, got another (${kernel.program.kind}).`,
      );
    }
    const fault = (problem: HeedError): void => {
      this.#fault ??= problem;
    };
    interpreter.run(new Operands(this.#memory, interpreter.signature, call, fault));
  }

  async read(from: Allocation, byteOffset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const found = this.#memory.range(from, byteOffset, bytes, 'read').slice();
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault) throw fault;
    return found;
  }

  /** Frees one allocation. After `close` it does nothing: all are free. */
  free(allocation: Allocation): void {
    this.#memory.free(allocation);
  }

  async close(): Promise<void> {
    this.#memory.close();
  }
}
