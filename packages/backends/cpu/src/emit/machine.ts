// What emitted code may use: properties of the engine that runs it, as far as they change what is written.

import type { MemoryType } from './wasm/index.ts';

export interface Machine {
  /**
   * Relaxed SIMD: a product and a sum in one instruction. Rounded once where the processor can do that, so the last bits
   * may differ between machines; without it every machine gives the same bits.
   */
  readonly relaxed: boolean;
  /** Atomic instructions, without which memory cannot be shared. */
  readonly atomics: boolean;
  /**
   * Rows of the tile of a matrix product, which is two registers wide: 6 rows use all 15 vector registers that V8 gives
   * out on x86-64; engines whose scheduler moves loads forward would spill and get 4.
   */
  readonly tileRows: 4 | 6;
  /**
   * Whether the compiler makes one vector of 256 bits of two that end side by side in memory (turbo, tried and verified):
   * a tile of 6 rows is then best 16 columns wide. Not so if left out.
   */
  readonly turbo?: boolean;
  /** Shared between threads. */
  readonly shared: boolean;
  /** How many threads share out units of work. */
  readonly threads: number;
  /** The most pages of 64 KiB that the memory may grow to. */
  readonly maximumPages: number;
}

/** Columns of the tile of a matrix product: so many that its rows fill the registers. */
export const tileColumns = ({ turbo = false }: Machine): 8 | 16 => (turbo ? 16 : 8);

export const memoryOf = ({ shared, maximumPages }: Machine): MemoryType => ({
  module: 'heed',
  name: 'memory',
  minimum: 1,
  maximum: maximumPages,
  shared,
});
