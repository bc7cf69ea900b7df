// A device: what tensors live on. Holds the backend, its kernels, the count of what is alive, and what is in force now.

import type { Allocation, Backend, BackendPlugin, Kernel } from './contract/backend.ts';
import { type DType, dtypes } from './contract/dtype.ts';
import { printProgram } from './contract/print.ts';
import type { Program } from './contract/program.ts';
import { asyncDispose } from './dispose.ts';
import { BackendError, DisposedError } from './errors.ts';
import { endLife, type Life } from './life.ts';
import type { Scope } from './scope.ts';
import { Storage } from './storage.ts';

/** How much device memory is held. */
export interface Live {
  readonly buffers: number;
  readonly bytes: number;
}

/** What is in force while code runs. `scope`, `withoutGradients` and `backward` set it and put it back. */
export interface Current {
  /** Whether operations leave a trace that gradients can follow. */
  recording: boolean;
  /** Who disposes new tensors. */
  scope: Scope | null;
}

export class Device {
  readonly backend: Backend;
  readonly current: Current = { recording: true, scope: null };
  readonly #kernels = new Map<string, Kernel>();
  readonly #known = new WeakMap<Program, Kernel>();
  readonly #remembered = new WeakMap<object, Map<string, unknown>>();
  readonly #storages = new Set<Storage>();
  #bytes = 0;
  #order = 0;
  #closed = false;
  // The net under everybody who forgets to dispose: a tensor that nothing reaches any more ends by itself.
  readonly #unreachable = new FinalizationRegistry<Life>(endLife);

  constructor(backend: Backend) {
    this.backend = backend;
  }

  get name(): string {
    return this.backend.name;
  }

  /** Buffers and bytes held now by tensors and by graphs that wait for `backward`. */
  get live(): Live {
    return { buffers: this.#storages.size, bytes: this.#bytes };
  }

  /** How many kernels have been compiled: constant while only uniforms, lengths and strides change. */
  get kernels(): number {
    return this.#kernels.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Frees all memory and ends what the backend started. Tensors of this device cannot be used afterwards. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#storages.clear();
    this.#bytes = 0;
    this.#kernels.clear();
    await this.backend.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws DisposedError after `close`. */
  checkOpen(where: string): void {
    if (this.#closed)
      throw new DisposedError(
        `${where}: the device "${this.name}" was closed. Open another with openDevice(...).`,
      );
  }

  /** Memory for `size` elements; its content is arbitrary. The caller owns the one reference. */
  allocate(where: string, dtype: DType, size: number): Storage {
    this.checkOpen(where);
    if (!this.backend.limits.dtypes.includes(dtype)) {
      throw new BackendError(
        `${where}: the device "${this.name}" stores no ${dtype}; it stores ${this.backend.limits.dtypes.join(', ')}. ` +
          'Convert with cast(tensor, dtype), or ask for another dtype where the tensor is made.',
      );
    }
    // At least one word: devices refuse empty buffers.
    return this.adopt(this.backend.allocate(Math.max(4, size * dtypes[dtype].bytes)));
  }

  /** For backends: counts memory that was allocated already, and frees it with the last reference. The caller owns one. */
  adopt(allocation: Allocation): Storage {
    const storage: Storage = new Storage(allocation, () => {
      if (!this.#storages.delete(storage)) return;
      this.#bytes -= allocation.bytes;
      this.backend.free(allocation);
    });
    this.#storages.add(storage);
    this.#bytes += allocation.bytes;
    return storage;
  }

  /** The kernel of a program, compiled once. @throws BackendError with the backend's reason. */
  kernel(where: string, program: Program): Kernel {
    this.checkOpen(where);
    const known = this.#known.get(program);
    if (known) return known;
    const key = printProgram(program);
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      const supported = this.backend.supports(program);
      if (supported !== true)
        throw new BackendError(`${where}: the device "${this.name}" cannot run this: ${supported.reason}`);
      kernel = this.backend.compile(program);
      this.#kernels.set(key, kernel);
    }
    this.#known.set(program, kernel);
    return kernel;
  }

  /** What `make` gave when it was first asked for under this owner and key. */
  remember<T>(owner: object, key: string, make: () => T): T {
    const kept = this.#remembered.get(owner) ?? new Map<string, unknown>();
    this.#remembered.set(owner, kept);
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key) as T;
  }

  /** A number that grows: nodes of the graph are ordered by it. */
  nextOrder(): number {
    return this.#order++;
  }

  /** Watches over a new tensor: its scope disposes it, or else the finalizer does. */
  watch(tensor: object, life: Life): void {
    this.#unreachable.register(tensor, life, life);
    this.current.scope?.adopt(life);
  }

  /** A tensor has ended. */
  forget(life: Life): void {
    this.#unreachable.unregister(life);
  }
}

/** Makes a device of a backend that is open already. */
export const createDevice = (backend: Backend): Device => new Device(backend);

/**
 * Opens a backend: `await openDevice(reference())`.
 *
 * @throws BackendError that says why there is no such device here.
 */
export const openDevice = async (plugin: BackendPlugin): Promise<Device> => createDevice(await plugin.open());
