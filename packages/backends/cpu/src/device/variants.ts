// Modules made ready: compiled, instantiated, their constants in memory. One for each program and shape class.

import type { Allocation } from '@heed/tensor';
import type { Emitted } from '../emit/kernel.ts';
import type { Machine } from '../emit/machine.ts';
import type { Plan } from '../emit/plan.ts';
import type { Memory } from './memory.ts';
import type { Crew } from './threads/crew.ts';
import type { Loaded } from './threads/job.ts';

export interface Variant {
  readonly emitted: Emitted;
  readonly kernel: Loaded;
  /** Where its constants lie. */
  readonly pool: number;
  readonly note: string;
}

export class Variants {
  readonly #memory: Memory;
  readonly #crew: Crew;
  readonly #machine: Machine;
  readonly #checked: boolean;
  readonly #made = new Map<string, Variant>();

  constructor(memory: Memory, crew: Crew, machine: Machine, checked: boolean) {
    this.#memory = memory;
    this.#crew = crew;
    this.#machine = machine;
    this.#checked = checked;
  }

  /** The module for a plan. @param program the program's text: equal texts share modules. */
  get(program: string, plan: Plan): Variant {
    const key = `${program}|${plan.key}`;
    let variant = this.#made.get(key);
    if (!variant) {
      variant = this.#make(plan);
      this.#made.set(key, variant);
    }
    return variant;
  }

  #make(plan: Plan): Variant {
    const emitted = plan.emit(this.#machine, this.#checked);
    return {
      emitted,
      kernel: this.#crew.load(emitted.bytes, (bytes) => this.#place(bytes)),
      pool: this.#constants(emitted.constants),
      note: plan.note,
    };
  }

  #constants(constants: Int32Array<ArrayBuffer>): number {
    if (constants.length === 0) return 0;
    const address = this.#place(constants.byteLength);
    this.#crew.write(address, new Uint8Array(constants.buffer));
    return address;
  }

  /** Memory for good. */
  #place(bytes: number): number {
    const allocation: Allocation = this.#memory.allocate(bytes, true);
    return this.#memory.address(allocation, 'place');
  }
}
