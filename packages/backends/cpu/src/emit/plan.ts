// What a planner makes of a program and the layouts of a call: which module, with which numbers, over how many units.

import type { Program } from '@heed/tensor';
import type { Layout } from './geometry.ts';
import type { Emitted } from './kernel.ts';
import type { Machine } from './machine.ts';

export interface Plan {
  /** Names the shape class: within a program, plans of equal keys run the same module. */
  readonly key: string;
  emit(machine: Machine, checked: boolean): Emitted;
  readonly sizes: readonly number[];
  /** Strides in bytes by tensor. */
  readonly strides: Readonly<Record<string, readonly number[]>>;
  /** Values of the frame's numbers. */
  readonly numbers: Readonly<Record<string, number>>;
  /** How many units of work there are; they can be done in any order and by any thread. */
  readonly units: number;
  /** About how many elements a unit touches: a few thousand are worth a thread's attention. */
  readonly weight: number;
  /** Memory that each thread needs for itself. */
  readonly scratch: number;
  /** What was chosen, for people. */
  readonly note: string;
  /** Sums that units gather apart from each other, by the name under which the kernel finds each. */
  readonly gathered?: Readonly<Record<string, Gathered>>;
  /** What is done when all units are: another plan for the same call. */
  readonly after?: Plan;
  /** Memory that these plans share while the call lasts, in bytes, by the name under which kernels find its address. */
  readonly between?: Readonly<Record<string, number>>;
}

/**
 * Memory for a result while it is gathered: copies of it in float32, row-major, one behind the other, all zero at first.
 * When all units are done the copies are added up in their order and stored.
 */
export interface Gathered {
  readonly result: string;
  readonly copies: number;
}

/** Plans a call by the layouts of its inputs and outputs, by name, and by its sizes. */
export type Planner<P extends Program> = (
  program: P,
  layouts: Readonly<Record<string, Layout>>,
  machine: Machine,
  sizes: Readonly<Record<string, number>>,
) => Plan;
