// The kernels that one thread has made ready on the memory, by their numbers.
//
// A thread that meets a kernel for the first time makes it from the bytes of its module, which lie in the memory: so it
// needs no message, which a thread that is blocked could not receive. Engines keep one copy of the compiled code of equal
// bytes for all threads (0.05 ms in Node 20 to 24, also of what turbo compiled).

import type { Run } from './job.ts';
import { Span } from './span.ts';

export class Kernels {
  readonly #memory: WebAssembly.Memory;
  readonly #span: Span;
  readonly #runs = new Map<number, Run>();

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#span = new Span(memory);
  }

  /** Makes a module ready on the memory. */
  add(id: number, module: WebAssembly.Module): Run {
    const instance = new WebAssembly.Instance(module, { heed: { memory: this.#memory } });
    const run = instance.exports.run as Run;
    this.#runs.set(id, run);
    return run;
  }

  /** The kernel of that number, made from the bytes at that address if it is new here. */
  get(id: number, code: number, length: number): Run {
    return this.#runs.get(id) ?? this.add(id, new WebAssembly.Module(this.#span.copy(code, length)));
  }
}
