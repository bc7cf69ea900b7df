// A kernel on its way to bytes: its module, its constants, the words that a call must bring.

import { type Machine, memoryOf } from './machine.ts';
import { Pool } from './pool.ts';
import { Simd } from './simd.ts';
import { type Callee, type Code, type Local, Module } from './wasm/index.ts';

/**
 * One word of a call's frame. Axes are those of the call's geometry, strides and addresses count bytes.
 */
export type Word =
  /** Where the constants lie. */
  | { readonly of: 'pool' }
  /** Where a fault is written: a flag, then two words that describe it. */
  | { readonly of: 'fault' }
  | { readonly of: 'size'; readonly axis: number }
  | { readonly of: 'address'; readonly tensor: string }
  | { readonly of: 'stride'; readonly tensor: string; readonly axis: number }
  | { readonly of: 'uniform'; readonly name: string; readonly kind: 'float' | 'int' }
  /** A number that the kernel's planner gives under this name. */
  | { readonly of: 'number'; readonly name: string };

/** A kernel as emitted: pure data that a device can run. */
export interface Emitted {
  /**
   * A module that imports the memory and exports `run(frame, begin, end, scratch)`, which does the units [begin, end) of
   * the work. Units write to places of their own, so that threads may share them out.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly constants: Int32Array<ArrayBuffer>;
  /** What the frame holds, word after word. */
  readonly frame: readonly Word[];
}

/** What tells a word from others: its properties, in the order in which one kind of word is always written. */
const keyOf = (word: Word): string => Object.values(word).join();

export class KernelWriter {
  readonly machine: Machine;
  readonly pool = new Pool();
  readonly module: Module;
  readonly #frame: Word[] = [];
  readonly #offsets = new Map<string, number>();
  readonly #helpers = new Map<string, Callee>();

  constructor(machine: Machine, checked: boolean) {
    this.machine = machine;
    this.module = new Module(memoryOf(machine), { checked });
    this.word({ of: 'pool' });
  }

  /** The offset of a word within the frame. */
  word(word: Word): number {
    const key = keyOf(word);
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    const offset = this.#frame.length * 4;
    this.#frame.push(word);
    this.#offsets.set(key, offset);
    return offset;
  }

  /** A function of the module that is written when it is first asked for. */
  helper(name: string, make: (module: Module) => Callee): Callee {
    let callee = this.#helpers.get(name);
    if (!callee) {
      callee = make(this.module);
      this.#helpers.set(name, callee);
    }
    return callee;
  }

  /** Lane-wise arithmetic in a function of the module. */
  simd(code: Code, pool: Local<'i32'>, group: number): Simd {
    return new Simd(this, code, pool, group);
  }

  /** Writes `run` and closes the module. */
  run(write: (body: Body) => void): Emitted {
    this.module.function(
      'run',
      ['i32', 'i32', 'i32', 'i32'],
      undefined,
      (code, frame, begin, end, scratch) => {
        const pool = code.let('i32', code.load('i32.load', frame, this.word({ of: 'pool' })));
        write({ writer: this, code, frame, begin, end, scratch, pool });
      },
    );
    return { bytes: this.module.bytes(), constants: this.pool.contents(), frame: this.#frame };
  }
}

/** The function `run` while it is being written. */
export interface Body {
  readonly writer: KernelWriter;
  readonly code: Code;
  readonly frame: Local<'i32'>;
  readonly begin: Local<'i32'>;
  readonly end: Local<'i32'>;
  /** Memory of this thread's own, as much as the planner asked for. */
  readonly scratch: Local<'i32'>;
  readonly pool: Local<'i32'>;
}
