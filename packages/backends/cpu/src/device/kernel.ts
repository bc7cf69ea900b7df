// A program made ready: checked, and known by its text. Its modules are made when calls show which are needed.

import type { Kernel, Program, Signature } from '@heed/tensor';
import type { Layout } from '../emit/geometry.ts';
import type { Machine } from '../emit/machine.ts';
import type { Plan, Planner } from '../emit/plan.ts';
import { textOf } from '../emit/wasm/index.ts';
import type { Crew } from './threads/crew.ts';
import type { Variant } from './variants.ts';

type Layouts = Readonly<Record<string, Layout>>;
type Sizes = Readonly<Record<string, number>>;

export class CpuKernel implements Kernel {
  readonly program: Program;
  readonly signature: Signature;
  readonly key: string;
  readonly #planner: Planner<Program>;
  readonly #crew: Pick<Crew, 'notes'>;
  readonly #ran = new Set<Variant>();
  /** The plan of the last call: most calls are like the one before. */
  #last: { readonly layouts: Layouts; readonly sizes: Sizes; readonly plan: Plan } | undefined;

  constructor(
    program: Program,
    signature: Signature,
    key: string,
    planner: Planner<Program>,
    crew: Pick<Crew, 'notes'>,
  ) {
    this.program = program;
    this.signature = signature;
    this.key = key;
    this.#planner = planner;
    this.#crew = crew;
  }

  plan(layouts: Layouts, sizes: Sizes, machine: Machine): Plan {
    const last = this.#last;
    if (last && alike(last.layouts, layouts) && equal(last.sizes, sizes)) return last.plan;
    const plan = this.#planner(this.program, layouts, machine, sizes);
    this.#last = { layouts, sizes, plan };
    return plan;
  }

  ran(variant: Variant): void {
    this.#ran.add(variant);
  }

  get source(): string {
    return (
      [...this.#ran].map(({ emitted, note }) => `;; ${note}\n${textOf(emitted.bytes)}`).join('\n\n') ||
      this.key
    );
  }

  get notes(): readonly string[] {
    const modules = [...this.#ran].map(
      ({ note, emitted }) => `${note} (${emitted.bytes.length} bytes of WebAssembly)`,
    );
    return [...modules, ...this.#crew.notes];
  }
}

/** Whether two calls have the same shapes and strides. Their names and dtypes are the program's. */
function alike(a: Readonly<Record<string, Layout>>, b: Readonly<Record<string, Layout>>): boolean {
  for (const name in a) {
    const [one, other] = [a[name] as Layout, b[name] as Layout];
    if (!same(one.shape, other.shape) || !same(one.strides, other.strides)) return false;
  }
  return true;
}

function equal(a: Sizes, b: Sizes): boolean {
  for (const name in b) if (a[name] !== b[name]) return false;
  return true;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
