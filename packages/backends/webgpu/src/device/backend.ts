// The backend: programs become plans by the layouts of a call, and plans become work on the device's queue.

import {
  type Allocation,
  type Backend,
  BackendError,
  type Call,
  checkCall,
  checkProgram,
  type DType,
  dtypes,
  type Kernel,
  type Program,
  printProgram,
  signatures,
  type Unsupported,
  type View,
} from '@heed/tensor';
import type { Machine } from '../emit/machine.ts';
import type { Layout, Plan } from '../emit/plan.ts';
import { type Copier, copyProgram, packed, setApart } from './apart.ts';
import { type BindingLimits, type Part, partOf, reach, wholly } from './binding.ts';
import { Failures } from './failures.ts';
import { Faults } from './faults.ts';
import { WebGpuKernel } from './kernel.ts';
import { Launcher } from './launcher.ts';
import { Memory } from './memory.ts';
import { planners, supports } from './plans.ts';
import { Poison } from './poison.ts';
import type { Profile, ProfiledDispatch, ProfiledRun } from './profile.ts';
import { Reader } from './reader.ts';
import { Recorder } from './recorder.ts';
import { Staging } from './staging.ts';
import { Timer } from './timer.ts';
import { Writer } from './writer.ts';

const storedDTypes: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'int8', 'bool'];

/** Dispatches of one submission: enough that submitting costs little, few enough that the device begins early. */
const BATCH = 64;

export interface WebGpuBackendOptions {
  readonly device: GPUDevice;
  readonly machine: Machine;
  readonly bytes: number;
  readonly poison: boolean;
  readonly profile: boolean;
  /** Whether the device ends with the backend. */
  readonly owned: boolean;
}

/** A call's views on the device: what is bound of each, and how it lies in there, by the names of `Bound`. */
interface Placed {
  readonly parts: Record<string, Part>;
  readonly layouts: Record<string, Layout>;
}

export class WebGpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly limits;
  /** The device that everything happens on. */
  readonly device: GPUDevice;
  readonly machine: Machine;
  readonly #failures: Failures;
  readonly #memory: Memory;
  readonly #recorder: Recorder;
  readonly #launcher: Launcher;
  readonly #faults: Faults;
  readonly #staging: Staging;
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #poison: Poison | null;
  readonly #timer: Timer | null;
  readonly #profile: boolean;
  readonly #owned: boolean;
  readonly #binding: BindingLimits;
  #runs: ProfiledRun[] = [];

  constructor({ device, machine, bytes, poison, profile, owned }: WebGpuBackendOptions) {
    this.device = device;
    this.machine = machine;
    this.#owned = owned;
    this.#profile = profile;
    this.limits = { dtypes: storedDTypes, allocationBytes: Math.min(bytes, device.limits.maxBufferSize) };
    this.#binding = {
      bindingBytes: machine.bindingBytes,
      alignment: device.limits.minStorageBufferOffsetAlignment,
    };
    this.#failures = new Failures(device);
    this.#timer = profile && device.features.has('timestamp-query') ? new Timer(device, BATCH) : null;
    this.#launcher = new Launcher(device, this.#failures, machine);
    this.#faults = new Faults(device);
    this.#staging = new Staging(device, this.#failures);
    this.#recorder = new Recorder({
      device,
      failures: this.#failures,
      batch: BATCH,
      timer: this.#timer,
      before: () => this.#launcher.upload(),
      after: () => this.#destroy(this.#memory.submitted()),
    });
    const parts = { device, failures: this.#failures, recorder: this.#recorder };
    this.#writer = new Writer({ ...parts, launcher: this.#launcher, binding: this.#binding });
    this.#reader = new Reader({ ...parts, staging: this.#staging, faults: this.#faults });
    this.#poison = poison ? new Poison(device) : null;
    this.#memory = new Memory({
      device,
      failures: this.#failures,
      limit: bytes,
      poison: this.#poison && ((buffer) => this.#poison?.fill(this.#recorder, buffer)),
      destroy: (buffers) => this.#destroy(buffers),
    });
    if (owned) {
      // What no scope has caught: of this backend, since nobody else has the device.
      device.addEventListener('uncapturederror', (event) => {
        event.preventDefault();
        this.#failures.report(new BackendError(`webgpu: the device complained: ${event.error.message}`));
      });
    }
  }

  supports(program: Program): true | Unsupported {
    return supports(program);
  }

  /** @throws BackendError for a program that contradicts itself or cannot run here. */
  compile(program: Program): WebGpuKernel {
    const supported = supports(program);
    if (supported !== true) throw new BackendError(`webgpu: compile: ${supported.reason}`);
    const signature = signatures[program.kind](program as never, this.name);
    checkProgram(this.name, program, signature);
    const text = printProgram(program);
    const { plan } = planners[program.kind] as NonNullable<(typeof planners)[typeof program.kind]>;
    const shaders = this.#launcher.pipelines.of(text);
    return new WebGpuKernel(program, signature, text, plan as never, shaders, this.machine);
  }

  allocate(bytes: number): Allocation {
    return this.#memory.allocate(bytes);
  }

  /** An allocation over a buffer of the caller's, of usages STORAGE and COPY_SRC, and of whole words. It stays theirs. */
  adopt(buffer: GPUBuffer): Allocation {
    return this.#memory.adopt(buffer);
  }

  /** The buffer behind an allocation, with everything enqueued before on its way. It is the allocation's until that is freed. */
  bufferOf(allocation: Allocation): GPUBuffer {
    const { buffer } = this.#memory.block(allocation, 'bufferOf');
    this.#recorder.flush();
    return buffer;
  }

  write(to: Allocation, bytes: Uint8Array, byteOffset = 0): void {
    const buffer = this.#memory.range(to, byteOffset, bytes.length, 'write');
    this.#writer.write(buffer, to.bytes, bytes, byteOffset);
  }

  /** @throws BackendError for a call that its program did not ask for. */
  run(kernel: Kernel, call: Call): void {
    if (!(kernel instanceof WebGpuKernel)) {
      throw new BackendError(
        `webgpu: run: expected a kernel that this backend compiled, got another (${kernel.program.kind}).`,
      );
    }
    const { kind } = kernel.program;
    for (const view of [...Object.values(call.inputs), ...Object.values(call.outputs)])
      this.#memory.block(view.allocation, kind);
    checkCall(this.name, kind, kernel.signature, call);
    const held: Allocation[] = [];
    try {
      const { call: apart, moves } = setApart(call, this.#copier(kind, held));
      this.#launch(kernel, apart);
      for (const [from, to] of moves) {
        const copy = this.compile(copyProgram(to.shape.length, to.dtype));
        this.run(copy, { inputs: { in: from }, outputs: { out: to }, uniforms: {}, sizes: {} });
      }
    } finally {
      for (const allocation of held) this.#memory.free(allocation);
    }
  }

  /**
   * Compiles what a call will need, without blocking and without running it. Only layouts and sizes of the call matter.
   *
   * @throws BackendError with what the shaders' compiler says.
   */
  async warmUp(kernel: WebGpuKernel, call: Call): Promise<void> {
    const { kind } = kernel.program;
    checkCall(this.name, kind, kernel.signature, call);
    const { dispatches } = kernel.plan(this.#place(kind, call).layouts, call.sizes);
    const { pipelines } = this.#launcher;
    await Promise.all(dispatches.map((dispatch) => pipelines.warm(kind, kernel.shaders, dispatch)));
  }

  async read(from: Allocation, byteOffset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#reader.read(this.#memory.range(from, byteOffset, bytes, 'read'), byteOffset, bytes);
  }

  /** Frees one allocation. After `close` it does nothing: all are free. */
  free(allocation: Allocation): void {
    const block = this.#memory.free(allocation);
    if (block?.adopted) this.#launcher.forget(block.buffer);
  }

  /**
   * What ran since the last time, in order, with the times of the device's clock once all of it is done. A clock may be coarse:
   * browsers round to 0.1 ms.
   */
  async profile(): Promise<Profile> {
    this.#recorder.flush();
    await this.#timer?.settled();
    const runs = this.#runs;
    this.#runs = [];
    const untimed = !this.#profile
      ? 'nothing is recorded: open the backend with webgpu({ profile: true }).'
      : this.#timer
        ? null
        : 'this device has no clock to ask (timestamp-query).';
    return { untimed, runs };
  }

  async close(): Promise<void> {
    if (this.#failures.closed) return;
    this.#failures.close();
    const buffers = this.#memory.close();
    for (const buffer of buffers) buffer.destroy();
    this.#poison?.close();
    this.#faults.close();
    this.#launcher.close();
    this.#staging.close();
    if (this.#owned) this.device.destroy();
    // What is destroyed is given back with the next submission only.
    else this.device.queue.submit([]);
  }

  #launch(kernel: WebGpuKernel, call: Call): void {
    const { kind } = kernel.program;
    const { parts, layouts } = this.#place(kind, call);
    const plan = kernel.plan(layouts, call.sizes);
    const scratch = new Map(
      Object.entries(plan.scratch).map(([name, bytes]) => [`scratch:${name}`, this.#memory.take(bytes)]),
    );
    const boundTo = (tensor: string): Part | undefined => {
      const between = tensor === 'fault' ? this.#faults.buffer() : scratch.get(tensor);
      return between ? wholly(between) : parts[tensor];
    };
    const given = { layouts, uniforms: call.uniforms, sizes: call.sizes };
    const entries = this.#entries(kernel.program, plan);
    try {
      for (const [at, dispatch] of plan.dispatches.entries()) {
        const timed = entries[at] as ProfiledDispatch;
        this.#launcher.launch(this.#recorder, kind, kernel.shaders, dispatch, boundTo, given, timed);
      }
    } finally {
      for (const buffer of scratch.values()) this.#memory.give(buffer);
    }
  }

  #entries({ kind }: Program, { dispatches, work }: Plan): readonly ProfiledDispatch[] {
    const entries = dispatches.map(({ key, groups }) => ({ key, groups, nanoseconds: null }));
    if (this.#profile) this.#runs.push({ program: kind, work, dispatches: entries });
    return entries;
  }

  #place(kind: string, { inputs, outputs }: Pick<Call, 'inputs' | 'outputs'>): Placed {
    const placed: Placed = { parts: {}, layouts: {} };
    const put = (name: string, view: View): void => {
      const { buffer } = this.#memory.block(view.allocation, kind);
      const { part, layout } = partOf(`${kind}: "${name}"`, view, buffer, this.#binding);
      placed.parts[name] = part;
      placed.layouts[name] = layout;
    };
    for (const [name, view] of Object.entries(inputs)) put(name, view);
    for (const [name, view] of Object.entries(outputs)) put(`out:${name}`, view);
    return placed;
  }

  #copier(kind: string, held: Allocation[]): Copier {
    const bufferOf = (view: View): GPUBuffer => this.#memory.block(view.allocation, kind).buffer;
    const allocate = (bytes: number): Allocation => {
      const allocation = this.#memory.allocate(bytes, true);
      held.push(allocation);
      return allocation;
    };
    const copied = (view: View): View => {
      const { alignment } = this.#binding;
      const [low, high] = reach(view);
      const from = Math.floor(low / alignment) * alignment;
      const bytes = Math.max(4, Math.ceil((high - from) / 4) * 4);
      const allocation = allocate(bytes);
      const { buffer } = this.#memory.block(allocation, kind);
      this.#recorder.copy(bufferOf(view), from, buffer, 0, bytes);
      return { ...view, allocation, offset: view.offset - from / dtypes[view.dtype].bytes };
    };
    return { bufferOf, copied, fresh: (view) => packed(view, allocate) };
  }

  #destroy(buffers: readonly GPUBuffer[]): void {
    if (buffers.length === 0) return;
    if (buffers.some((buffer) => this.#recorder.touches(buffer))) this.#recorder.flush();
    for (const buffer of buffers) {
      this.#launcher.forget(buffer);
      buffer.destroy();
    }
    // Only a submission makes the device give the memory back.
    this.device.queue.submit([]);
  }
}
