// The backend: programs become modules by shape class, and calls become frames.

import {
  type Allocation,
  type Backend,
  BackendError,
  type Call,
  checkCall,
  checkProgram,
  DisposedError,
  type DType,
  type HeedError,
  type Kernel,
  type Program,
  printProgram,
  type Signature,
  signatures,
  type Unsupported,
} from '@heed/tensor';
import type { Machine } from '../emit/machine.ts';
import type { Plan, Planner } from '../emit/plan.ts';
import { errorOf } from './faults.ts';
import { writeFrame } from './frame.ts';
import { gather } from './gather.ts';
import { CpuKernel } from './kernel.ts';
import { Memory } from './memory.ts';
import { type PlannedKind, planners, supports } from './plans.ts';
import { asksBesides, showBesides } from './shown.ts';
import { eachStage } from './stages.ts';
import type { Crew, Recruit } from './threads/crew.ts';
import { alone } from './threads/recruit.ts';
import { Variants } from './variants.ts';
import { addsNarrow, scatterWide } from './widen.ts';

const storedDTypes: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'int8', 'bool'];

/** The beginning of the memory, which is not given out: frames and the fault's flag; address 0 is never anything's. */
const FAULT = 64;
const FRAME = 128;
const RESERVED = 8192;
/** Bytes of a cache line: threads that write to one line wait for each other. */
const LINE = 64;

export interface CpuBackendOptions {
  readonly machine: Machine;
  readonly bytes: number;
  readonly poison: boolean;
  /** Whether emitted code is checked operand by operand. */
  readonly checked: boolean;
  /** Who does the work: this thread if left out. */
  readonly crew?: Recruit;
}

export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly limits;
  readonly #machine: Machine;
  readonly #memory: Memory;
  readonly #variants: Variants;
  readonly #crew: Crew;
  #scratch: { readonly allocation: Allocation; readonly address: number } | undefined;
  #fault: HeedError | undefined;

  constructor({ machine, bytes, poison, checked, crew = alone(machine.threads) }: CpuBackendOptions) {
    const { maximumPages, shared } = machine;
    this.limits = { dtypes: storedDTypes, allocationBytes: bytes };
    this.#machine = machine;
    const fill = (address: number, taken: number, value: number): void =>
      this.#crew.fill(address, taken, value);
    this.#memory = new Memory({ limit: bytes, maximumPages, shared, reserved: RESERVED, poison, fill });
    this.#crew = crew(this.#memory.wasm, { frame: FRAME, flag: FAULT });
    this.#variants = new Variants(this.#memory, this.#crew, machine, checked);
  }

  supports(program: Program): true | Unsupported {
    return supports(program);
  }

  /** @throws BackendError for a program that contradicts itself or cannot run here. */
  compile(program: Program): Kernel {
    const supported = supports(program);
    if (supported !== true) throw new BackendError(`cpu: compile: ${supported.reason}`);
    const kind = program.kind as PlannedKind;
    const signature: Signature = signatures[kind](program as never, this.name);
    checkProgram(this.name, program, signature);
    const planner = planners[kind](program as never) as Planner<Program>;
    return new CpuKernel(program, signature, printProgram(program), planner, this.#crew);
  }

  allocate(bytes: number): Allocation {
    return this.#memory.allocate(bytes);
  }

  write(to: Allocation, bytes: Uint8Array, byteOffset = 0): void {
    this.#crew.write(this.#memory.range(to, byteOffset, bytes.length, 'write').byteOffset, bytes);
  }

  /** @throws BackendError for a call that its program did not ask for. */
  run(kernel: Kernel, call: Call): void {
    if (!(kernel instanceof CpuKernel)) {
      throw new BackendError(
        `cpu: run: expected a kernel that this backend compiled, got another (${kernel.program.kind}).`,
      );
    }
    for (const view of [...Object.values(call.inputs), ...Object.values(call.outputs)])
      this.#memory.address(view.allocation, kernel.program.kind);
    checkCall(this.name, kernel.program.kind, kernel.signature, call);
    const { program } = kernel;
    if (program.kind === 'scatter-add' && addsNarrow(program)) {
      scatterWide(this, call, program.outer, program.inner);
      return;
    }
    if (asksBesides(program, call)) showBesides(this, program, call, (one) => this.#plan(kernel, one));
    else this.#plan(kernel, call);
  }

  #plan(kernel: CpuKernel, call: Call): void {
    const plan = kernel.plan({ ...call.outputs, ...call.inputs }, call.sizes, this.#machine);
    gather(this, plan, call, (full) =>
      eachStage(this, plan, full, (stage, one) => this.#do(kernel, stage, one)),
    );
  }

  #do(kernel: CpuKernel, plan: Plan, call: Call): void {
    const variant = this.#variants.get(kernel.key, plan);
    kernel.ran(variant);
    const { emitted, kernel: loaded, pool } = variant;
    const frame = new Int32Array(emitted.frame.length);
    if (frame.byteLength > RESERVED - FRAME) {
      throw new BackendError(
        `cpu: ${kernel.program.kind}: expected at most ${(RESERVED - FRAME) / 4} addresses, strides, sizes and uniforms together, got ${frame.length}.`,
      );
    }
    writeFrame(frame, emitted.frame, {
      plan,
      call,
      pool,
      fault: FAULT,
      address: (allocation) => this.#memory.address(allocation, 'run'),
    });
    const { program } = kernel;
    const stride = Math.ceil(plan.scratch / LINE) * LINE;
    const index = call.inputs.index?.allocation;
    const job = {
      kernel: loaded,
      frame,
      units: plan.units,
      weight: plan.weight,
      scratch: this.#scratchOf(stride * this.#crew.threads),
      stride,
      repeatable: program.kind !== 'scatter-add' && plan.gathered === undefined,
      watched: index ? { address: this.#memory.address(index, 'run'), bytes: index.bytes } : null,
    };
    this.#crew.run(job, (failure) => {
      this.#fault ??= errorOf(failure, program, call);
    });
  }

  async read(from: Allocation, byteOffset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { byteOffset: address } = this.#memory.range(from, byteOffset, bytes, 'read');
    const found = await this.#crew.read(address, bytes).catch((cause: Error) => {
      throw cause instanceof DisposedError
        ? cause
        : new BackendError(`cpu: read: ${cause.message}.`, { cause });
    });
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
    await this.#crew.close(new DisposedError('cpu: read: this backend was closed before it came to that.'));
  }

  /** Memory for what a kernel keeps while it runs: kept from call to call, replaced by a larger one when needed. */
  #scratchOf(bytes: number): number {
    if (bytes === 0) return 0;
    if (!this.#scratch || this.#scratch.allocation.bytes < bytes) {
      if (this.#scratch) this.#memory.free(this.#scratch.allocation);
      this.#scratch = undefined;
      const allocation = this.#memory.allocate(bytes, true);
      this.#scratch = { allocation, address: this.#memory.address(allocation, 'scratch') };
    }
    return this.#scratch.address;
  }
}
