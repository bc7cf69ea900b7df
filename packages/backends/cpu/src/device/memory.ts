// The memory of the backend: one WebAssembly.Memory in which all tensors, constants and scratch live.

import { type Allocation, BackendError, DisposedError, OutOfMemoryError } from '@heed/tensor';
import { OVERREAD } from '../emit/access.ts';
import { FreeList } from './free-list.ts';

const PAGE = 65536;
/** Vectors of 16 bytes never cross a line of the cache. */
const ALIGNMENT = 16;
/** Growth is at least so much: small steps would each copy, or touch, the page tables again. */
const GROWTH = 16;
/** What fresh memory holds if asked for: NaN as a float of any width, -1 as an int. A result that depends on it shows. */
const POISON = 0xff;

/** A piece of the memory. */
interface Block {
  readonly address: number;
  /** Bytes taken, which is what was asked for and padding. */
  readonly taken: number;
  readonly own: boolean;
}

export interface MemoryOptions {
  /** How many bytes tensors may hold at once. */
  readonly limit: number;
  readonly maximumPages: number;
  readonly shared: boolean;
  /** Bytes at the beginning that are not given out. */
  readonly reserved: number;
  /** Fills what is given out and what is given back with a pattern. */
  readonly poison: boolean;
  /** Fills bytes from an address with a value, when it is their turn; at once if left out. */
  readonly fill?: (address: number, bytes: number, value: number) => void;
}

export class Memory {
  readonly wasm: WebAssembly.Memory;
  readonly #options: MemoryOptions;
  readonly #free = new FreeList();
  readonly #blocks = new Map<Allocation, Block>();
  #end: number;
  #held = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #closed = false;

  constructor(options: MemoryOptions) {
    const { maximumPages, shared, reserved } = options;
    const initial = Math.min(GROWTH, maximumPages);
    this.#options = options;
    this.wasm = new WebAssembly.Memory({ initial, maximum: maximumPages, shared });
    this.#bytes = new Uint8Array(this.wasm.buffer);
    // Loads may run past the last element; what they run into must exist.
    this.#end = initial * PAGE - OVERREAD;
    this.#free.add(reserved, this.#end - reserved);
  }

  /** The whole memory as it is now. */
  get bytes(): Uint8Array<ArrayBuffer> {
    // Growing detaches the buffer, or leaves one of the old length where it is shared.
    if (this.#bytes.length !== this.wasm.buffer.byteLength) this.#bytes = new Uint8Array(this.wasm.buffer);
    return this.#bytes;
  }

  /**
   * @param own whether the backend wants it for itself (constants, scratch): the limit is for tensors.
   * @throws OutOfMemoryError, after which everything is as usable as before.
   */
  allocate(bytes: number, own = false): Allocation {
    this.#open('allocate');
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new BackendError(`cpu: allocate: expected a whole number of bytes, got ${bytes}.`);
    }
    if (!own && this.#held + bytes > this.#options.limit) throw this.#full(bytes);
    const taken = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const address = this.#free.take(taken) ?? this.#grow(taken, bytes);
    this.#poison(address, taken);
    const allocation: Allocation = Object.freeze({ bytes });
    this.#blocks.set(allocation, { address, taken, own });
    if (!own) this.#held += bytes;
    return allocation;
  }

  /** Where an allocation begins. @throws BackendError if it was freed or is another backend's. */
  address(of: Allocation, where: string): number {
    return this.#block(of, where).address;
  }

  /** The given range of an allocation, in place. @throws BackendError if it reaches outside. */
  range(of: Allocation, byteOffset: number, bytes: number, where: string): Uint8Array<ArrayBuffer> {
    const { address } = this.#block(of, where);
    const whole = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(bytes);
    if (!whole || byteOffset < 0 || bytes < 0 || byteOffset + bytes > of.bytes) {
      throw new BackendError(
        `cpu: ${where}: expected a range within ${of.bytes} bytes, got ${bytes} bytes from ${byteOffset}.`,
      );
    }
    return this.bytes.subarray(address + byteOffset, address + byteOffset + bytes);
  }

  /** After `close` this does nothing: everything is free already. @throws BackendError if freed twice. */
  free(allocation: Allocation): void {
    if (this.#closed) return;
    const { address, taken, own } = this.#block(allocation, 'free');
    this.#poison(address, taken);
    this.#blocks.delete(allocation);
    if (!own) this.#held -= allocation.bytes;
    this.#free.add(address, taken);
  }

  close(): void {
    this.#closed = true;
    this.#blocks.clear();
    this.#held = 0;
  }

  #poison(address: number, bytes: number): void {
    const { poison, fill } = this.#options;
    if (!poison) return;
    if (fill) fill(address, bytes, POISON);
    else this.bytes.fill(POISON, address, address + bytes);
  }

  #block(of: Allocation, where: string): Block {
    this.#open(where);
    const block = this.#blocks.get(of);
    if (!block) {
      throw new BackendError(
        `cpu: ${where}: expected an allocation of this backend, got one of ${of.bytes} bytes that was freed or belongs to another backend.`,
      );
    }
    return block;
  }

  #open(where: string): void {
    if (this.#closed) throw new DisposedError(`cpu: ${where}: this backend was closed. Open another one.`);
  }

  /** Makes the memory longer and takes the bytes from its end. */
  #grow(taken: number, asked: number): number {
    const loose = this.#free.endingAt(this.#end);
    const now = this.wasm.buffer.byteLength / PAGE;
    const needed = Math.ceil((taken - loose) / PAGE);
    const room = this.#options.maximumPages - now;
    if (needed > room) throw this.#full(asked);
    // A quarter more than there is, so that many small requests grow it seldom.
    const pages = Math.min(room, Math.max(needed, GROWTH, now >> 2));
    const grown = this.#tryGrow(pages) ? pages : this.#tryGrow(needed) ? needed : 0;
    if (grown === 0) throw this.#full(asked);
    this.#free.add(this.#end, grown * PAGE);
    this.#end += grown * PAGE;
    return this.#free.take(taken) as number;
  }

  #tryGrow(pages: number): boolean {
    try {
      this.wasm.grow(pages);
      return true;
    } catch {
      return false;
    }
  }

  #full(bytes: number): OutOfMemoryError {
    return new OutOfMemoryError(
      `cpu: allocate: asked for ${bytes} bytes while ${this.#held} of ${this.#options.limit} are held. ` +
        'Free tensors (dispose, using, scope) or raise cpu({ bytes }), which WebAssembly bounds at 4294967296.',
    );
  }
}
