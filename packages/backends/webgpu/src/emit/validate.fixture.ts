// For tests: shaders as a device would compile them, without one.

import type { Backend, Call, Program, View } from '@heed/tensor';
import { nullDevice } from '../adapters.fixture.ts';
import { Failures } from '../device/failures.ts';
import { findDevice } from '../device/find.ts';
import { Pipelines } from '../device/pipelines.ts';
import { planners } from '../device/plans.ts';
import type { Machine } from './machine.ts';
import type { Dispatch, Layout, Plan, Planner, Shader } from './plan.ts';

/** A program that somebody ran, and how the tensors of the call lay. */
export interface Asked {
  readonly program: Program;
  readonly layouts: Readonly<Record<string, Layout>>;
  readonly sizes: Readonly<Record<string, number>>;
}

const layoutOf = ({ shape, strides, offset }: View): Layout => ({ shape, strides, offset });

const askedOf = (program: Program, { inputs, outputs, sizes }: Call): Asked => ({
  program,
  layouts: Object.fromEntries([
    ...Object.entries(inputs).map(([name, view]) => [name, layoutOf(view)]),
    ...Object.entries(outputs).map(([name, view]) => [`out:${name}`, layoutOf(view)]),
  ]),
  sizes,
});

/** A backend that computes nothing, but remembers what it was asked to. Whatever is read from it is zero. */
export function recorder(asked: Asked[]): Backend {
  return {
    name: 'recorder',
    limits: {
      dtypes: ['float32', 'float16', 'bfloat16', 'int32', 'int8', 'bool'],
      allocationBytes: Infinity,
    },
    supports: () => true,
    compile: (program) => ({ program, source: '', notes: [] }),
    allocate: (bytes) => ({ bytes }),
    write: () => {},
    run: ({ program }, call) => void asked.push(askedOf(program, call)),
    read: async (_, __, bytes) => new Uint8Array(bytes),
    free: () => {},
    close: async () => {},
  };
}

/** What a plan binds that nobody provides, or gives a number for that no argument takes. */
function loose({ layouts }: Asked, plan: Plan, dispatch: Dispatch, { buffers, slots }: Shader): string[] {
  const bound = buffers
    .map(({ tensor }) => tensor)
    .filter((name) => name !== 'fault' && !Object.hasOwn(layouts, name))
    .filter((name) => !(name.startsWith('scratch:') && Object.hasOwn(plan.scratch, name.slice(8))));
  const missing = slots.flatMap((slot) =>
    slot.kind === 'number' && !Object.hasOwn(dispatch.numbers, slot.name) ? [slot.name] : [],
  );
  return [
    ...bound.map((name) => `binds "${name}", which neither the call nor the plan has`),
    ...missing.map((name) => `wants the number "${name}", which the dispatch does not give`),
  ];
}

/** Lines around the one that a compiler means, numbered. */
function around(code: string, line: number): string {
  const lines = code.split('\n');
  const from = Math.max(0, line - 4);
  return lines
    .slice(from, line + 3)
    .map((text, i) => `${from + i + 1 === line ? '>' : ' '} ${from + i + 1} | ${text}`)
    .join('\n');
}

/** Compiles shaders by Dawn, which executes nothing here; no two equal ones. */
export class Validator {
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  /** The shader of each key, by program and machine: equal keys mean equal shaders. */
  readonly #known = new Map<string, string>();
  readonly #compiled = new Set<string>();
  readonly #waiting = new Set<Promise<void>>();
  /** What is wrong, one text each. */
  readonly wrong: string[] = [];
  /** What binds more buffers than its machine has: refused when it is run, with a message that says so. */
  readonly crowded = new Set<string>();
  /** What multiplies by matrices of subgroups. */
  readonly multiplied = new Set<string>();

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#pipelines = new Pipelines(device, new Failures(device));
  }

  static async open(): Promise<Validator> {
    return new Validator((await findDevice(nullDevice())).device);
  }

  /** How many different shaders were compiled. */
  get count(): number {
    return this.#compiled.size;
  }

  /** Plans and emits what was asked for on a machine, and compiles it. @param what names it in messages. */
  check(what: string, asked: Asked, machine: Machine, text: string): void {
    const { plan: planner } = planners[asked.program.kind] as { plan: Planner<Program> };
    const plan = planner(asked.program, asked.layouts, machine, asked.sizes);
    for (const dispatch of plan.dispatches) {
      const shader = dispatch.emit();
      const where = `${what}: ${asked.program.kind}: the shader "${dispatch.key}" on ${JSON.stringify(machine)}`;
      for (const one of loose(asked, plan, dispatch, shader)) this.wrong.push(`${where} ${one}.`);
      const key = `${JSON.stringify(machine)}\n${text}\n${dispatch.key}`;
      const whole = JSON.stringify(shader);
      const known = this.#known.get(key) ?? whole;
      this.#known.set(key, whole);
      if (known !== whole) this.wrong.push(`${where} is not the one that had this key before.`);
      if (shader.buffers.length > machine.storageBuffers) this.crowded.add(what);
      if (this.#compiled.has(shader.code)) continue;
      this.#compiled.add(shader.code);
      if (shader.code.includes('subgroupMatrixMultiplyAccumulate')) this.multiplied.add(what);
      const compiling = this.#compile(where, dispatch, shader, machine);
      this.#waiting.add(compiling);
      compiling.finally(() => this.#waiting.delete(compiling));
    }
  }

  async #compile(where: string, dispatch: Dispatch, shader: Shader, machine: Machine): Promise<void> {
    const { code, buffers } = shader;
    const { limits } = this.#device;
    // The null device has no more than the specification asks for, and its subgroups are of 128, of which workgroups with
    // matrices must be multiples. Another one is larger, or has smaller ones, and the text can be right for it.
    const beyond =
      buffers.length > limits.maxStorageBuffersPerShaderStage ||
      machine.workgroupBytes > limits.maxComputeWorkgroupStorageSize ||
      (machine.matrices.length > 0 && machine.subgroups?.max !== 128);
    const compiling = beyond
      ? Promise.resolve()
      : this.#pipelines.warm(where, new Map(), { ...dispatch, emit: () => shader });
    const refused = await compiling.then(
      () => null,
      (error: Error) => error,
    );
    const { messages } = await this.#device.createShaderModule({ code }).getCompilationInfo();
    for (const { type, message, lineNum } of messages)
      this.wrong.push(`${where}: ${type}: ${message}\n${around(code, lineNum)}`);
    if (refused && messages.length === 0) this.wrong.push(refused.message);
  }

  /** Waits for the compiler to keep up. */
  async settle(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }

  close(): void {
    this.#device.destroy();
  }
}
