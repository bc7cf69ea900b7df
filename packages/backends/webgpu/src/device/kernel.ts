// A program made ready: checked, and known by its text. Its shaders are made when calls show which are needed.

import type { Kernel, Program, Signature } from '@heed/tensor';
import type { Machine } from '../emit/machine.ts';
import type { Layout, Plan, Planner } from '../emit/plan.ts';
import type { Shaders } from './pipelines.ts';

type Layouts = Readonly<Record<string, Layout>>;
type Sizes = Readonly<Record<string, number>>;

export class WebGpuKernel implements Kernel {
  readonly program: Program;
  readonly signature: Signature;
  readonly shaders: Shaders;
  readonly #text: string;
  readonly #planner: Planner<Program>;
  readonly #machine: Machine;
  /** The plan of the last call: most calls are like the one before. */
  #last: { readonly layouts: Layouts; readonly sizes: Sizes; readonly plan: Plan } | undefined;

  constructor(
    program: Program,
    signature: Signature,
    text: string,
    planner: Planner<Program>,
    shaders: Shaders,
    machine: Machine,
  ) {
    this.program = program;
    this.signature = signature;
    this.shaders = shaders;
    this.#text = text;
    this.#planner = planner;
    this.#machine = machine;
  }

  plan(layouts: Layouts, sizes: Sizes): Plan {
    const last = this.#last;
    if (last && alike(last.layouts, layouts) && equal(last.sizes, sizes)) return last.plan;
    const plan = this.#planner(this.program, layouts, this.#machine, sizes);
    this.#last = { layouts, sizes, plan };
    return plan;
  }

  /** The WGSL of all shaders so far; the program before the first. */
  get source(): string {
    const texts = [...this.shaders].map(([key, { shader }]) => `// ${key}\n${shader.code}`);
    return texts.join('\n') || this.#text;
  }

  /** What the last call's plan says. */
  get notes(): readonly string[] {
    return this.#last?.plan.notes ?? [];
  }
}

/** Elements of the widest load: offsets that differ by a multiple of it are alike. */
const VECTOR = 4;

/** Whether two calls have the same layouts. Their names and dtypes are the program's. */
function alike(a: Layouts, b: Layouts): boolean {
  for (const name in a) {
    const [one, other] = [a[name] as Layout, b[name] as Layout];
    if (!same(one.shape, other.shape) || !same(one.strides, other.strides)) return false;
    if ((one.offset - other.offset) % VECTOR !== 0) return false;
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
