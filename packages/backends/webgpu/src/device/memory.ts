// The memory of the backend: which buffer stands behind an allocation, how much is held, and what waits to be used again.

import { type Allocation, BackendError, DisposedError, OutOfMemoryError } from '@heed/tensor';
import type { Failures } from './failures.ts';
import { Pool } from './pool.ts';
import { sizeClass } from './size-class.ts';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.ts';

/** What stands behind an allocation. */
export interface Block {
  readonly buffer: GPUBuffer;
  /** Whether the buffer is somebody else's: it is never pooled or destroyed here. */
  readonly adopted: boolean;
  /** Whether the backend holds it for itself: the limit is for tensors. */
  readonly own: boolean;
}

export interface MemoryOptions {
  readonly device: GPUDevice;
  readonly failures: Failures;
  /** How many bytes tensors may hold at once. */
  readonly limit: number;
  /** Fills a buffer that is given out with a pattern, when its turn comes. */
  readonly poison: ((buffer: GPUBuffer) => void) | null;
  /** Makes sure that no work that was not submitted yet uses the buffers, and destroys them. */
  readonly destroy: (buffers: readonly GPUBuffer[]) => void;
}

export class Memory {
  readonly #options: MemoryOptions;
  readonly #blocks = new Map<Allocation, Block>();
  readonly #pool = new Pool();
  /** Buffers that no tensor holds: scratch that is in use while a call is enqueued. */
  readonly #mine = new Set<GPUBuffer>();
  #held = 0;
  #now = 0;
  #closed = false;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  /** Bytes that tensors hold. */
  get held(): number {
    return this.#held;
  }

  /**
   * @param own whether the backend wants it for itself: the limit is for tensors.
   * @throws OutOfMemoryError, after which everything is as usable as before.
   */
  allocate(bytes: number, own = false): Allocation {
    this.#open('allocate');
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new BackendError(`webgpu: allocate: expected a whole number of bytes, got ${bytes}.`);
    }
    const { limit, device } = this.#options;
    if (!own && this.#held + bytes > limit) throw this.#full(bytes);
    if (bytes > device.limits.maxBufferSize) {
      throw new OutOfMemoryError(
        `webgpu: allocate: asked for ${bytes} bytes in one piece, of which this device allows ` +
          `${device.limits.maxBufferSize} (maxBufferSize) while ${this.#held} are held. Split the tensor.`,
      );
    }
    const allocation: Allocation = Object.freeze({ bytes });
    this.#blocks.set(allocation, { buffer: this.take(bytes), adopted: false, own });
    if (!own) this.#held += bytes;
    return allocation;
  }

  /** An allocation over somebody else's buffer, which stays theirs. */
  adopt(buffer: GPUBuffer): Allocation {
    this.#open('adopt');
    const allocation: Allocation = Object.freeze({ bytes: buffer.size });
    this.#blocks.set(allocation, { buffer, adopted: true, own: true });
    return allocation;
  }

  /** A buffer for a while: `give` it back once the work that uses it is enqueued. */
  take(bytes: number): GPUBuffer {
    const { device, failures, limit, poison, destroy } = this.#options;
    const size = sizeClass(bytes, device.limits.maxBufferSize);
    let buffer = this.#pool.take(size);
    if (!buffer) {
      // What waits counts too, so that the limit bounds what the device really gives.
      if (this.#pool.bytes > 0 && this.#held + this.#pool.bytes + size > limit) destroy(this.#pool.all());
      const usage = STORAGE | COPY_SRC | COPY_DST;
      const held = this.#held;
      buffer = failures.watch(
        'allocate',
        () => device.createBuffer({ size, usage }),
        ({ message }) =>
          `asked for ${bytes} bytes while ${held} were held, of which ${limit} are allowed, and the device had not as ` +
          `many (${message}). The tensor holds nothing. Free tensors (dispose, using, scope) and make it again.`,
      );
    }
    this.#mine.add(buffer);
    poison?.(buffer);
    return buffer;
  }

  give(buffer: GPUBuffer): void {
    if (this.#mine.delete(buffer)) this.#pool.give(buffer, this.#now);
  }

  /** The block of an allocation. @throws BackendError if it was freed or is another backend's. */
  block(of: Allocation, where: string): Block {
    this.#open(where);
    return this.#known(of, where);
  }

  /** The buffer behind a range of an allocation. @throws BackendError if it reaches outside. */
  range(of: Allocation, byteOffset: number, bytes: number, where: string): GPUBuffer {
    const { buffer } = this.block(of, where);
    const whole = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(bytes);
    if (!whole || byteOffset < 0 || bytes < 0 || byteOffset + bytes > of.bytes) {
      throw new BackendError(
        `webgpu: ${where}: expected a range within ${of.bytes} bytes, got ${bytes} bytes from ${byteOffset}.`,
      );
    }
    return buffer;
  }

  /** After `close` this does nothing: everything is free already. @throws BackendError if freed twice. */
  free(allocation: Allocation): Block | undefined {
    if (this.#closed) return undefined;
    // Also on a device that is lost: its tensors end as all others do.
    const block = this.#known(allocation, 'free');
    this.#blocks.delete(allocation);
    if (!block.own) this.#held -= allocation.bytes;
    if (!block.adopted) this.give(block.buffer);
    return block;
  }

  /** Work has been submitted: gives what nothing has needed for long, to be destroyed. */
  submitted(): readonly GPUBuffer[] {
    this.#now++;
    return this.#pool.outdated(this.#now);
  }

  /** Gives every buffer that was made here, to be destroyed. */
  close(): readonly GPUBuffer[] {
    this.#closed = true;
    this.#blocks.clear();
    this.#held = 0;
    const mine = [...this.#mine, ...this.#pool.all()];
    this.#mine.clear();
    return mine;
  }

  #known(of: Allocation, where: string): Block {
    const block = this.#blocks.get(of);
    if (!block) {
      throw new BackendError(
        `webgpu: ${where}: expected an allocation of this backend, got one of ${of.bytes} bytes that was freed or belongs to another backend.`,
      );
    }
    return block;
  }

  #open(where: string): void {
    if (this.#closed) throw new DisposedError(`webgpu: ${where}: this backend was closed. Open another one.`);
    const { lost } = this.#options.failures;
    if (lost) throw new BackendError(lost.message.replace('webgpu:', `webgpu: ${where}:`));
  }

  #full(bytes: number): OutOfMemoryError {
    return new OutOfMemoryError(
      `webgpu: allocate: asked for ${bytes} bytes while ${this.#held} of ${this.#options.limit} are held. ` +
        'Free tensors (dispose, using, scope) or raise webgpu({ bytes }).',
    );
  }
}
