// What a planner makes of a program and the layouts of a call: dispatches in order, and the memory between them.

import type { Program } from '@heed/tensor';
import type { Machine } from './machine.ts';

/** How a tensor of a call lies in its buffer, in elements. `offset` only matters for what it is a multiple of. */
export interface Layout {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A word of the arguments, which lie in a uniform buffer at binding 0 of group 0 as `array<vec4<i32>, n>`. */
export type Slot =
  /** The stride along an axis, in elements. */
  | { readonly kind: 'stride'; readonly tensor: string; readonly axis: number }
  /** Where the tensor begins within what is bound, in elements. */
  | { readonly kind: 'offset'; readonly tensor: string }
  /** The size of an axis. */
  | { readonly kind: 'size'; readonly tensor: string; readonly axis: number }
  /** A length of an attention: one of the call's sizes. */
  | { readonly kind: 'length'; readonly name: string }
  /** A uniform of the program; floats by their bits. */
  | { readonly kind: 'uniform'; readonly name: string; readonly type: 'float' | 'int' }
  /** A number that the planner computed. */
  | { readonly kind: 'number'; readonly name: string };

/** What stands at binding 1 and on, of group 0, in this order. */
export interface Bound {
  /** An input by its name, a result as `out:` and its name, memory between dispatches as `scratch:` and its name. */
  readonly tensor: string;
  readonly access: 'read' | 'write';
}

/** One compute shader, entry point `main`. */
export interface Shader {
  readonly code: string;
  readonly slots: readonly Slot[];
  readonly buffers: readonly Bound[];
}

export interface Dispatch {
  /** Names the shader within its program: dispatches of equal keys run the same one. */
  readonly key: string;
  emit(): Shader;
  /** Workgroups, at least 1; the device folds them into two dimensions where one is not enough (see `group` in shader.ts). */
  readonly groups: number;
  /** Values of the slots of kind number. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Plan {
  readonly dispatches: readonly Dispatch[];
  /** Bytes of memory between dispatches, by name. */
  readonly scratch: Readonly<Record<string, number>>;
  /** What was chosen and why, for people. */
  readonly notes: readonly string[];
  /** Operations done and bytes read and written, counted from the program; for profiles. */
  readonly work: { readonly operations: number; readonly bytes: number };
}

/** Plans a call by the layouts of its inputs (by name) and results (`out:` and the name), and by its sizes. */
export type Planner<P extends Program> = (
  program: P,
  layouts: Readonly<Record<string, Layout>>,
  machine: Machine,
  sizes: Readonly<Record<string, number>>,
) => Plan;
