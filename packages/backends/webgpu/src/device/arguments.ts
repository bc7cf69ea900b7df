// The words that shaders are given: written once a submission, each dispatch's at an offset of its own.

import { BackendError, type Call } from '@heed/tensor';
import type { Layout, Slot } from '../emit/plan.ts';
import { COPY_DST, UNIFORM } from './usage.ts';

/** What the slots of a dispatch take their values from. Offsets are those within what is bound. */
export interface Given {
  readonly layouts: Readonly<Record<string, Layout>>;
  readonly uniforms: Call['uniforms'];
  readonly sizes: Call['sizes'];
  readonly numbers: Readonly<Record<string, number>>;
}

const nameOf = (slot: Slot): string =>
  'tensor' in slot
    ? `the ${slot.kind} of "${slot.tensor}"${'axis' in slot ? ` along axis ${slot.axis}` : ''}`
    : `the ${slot.kind} "${slot.name}"`;

function valueIn(slot: Slot, { layouts, uniforms, sizes, numbers }: Given): number | undefined {
  switch (slot.kind) {
    case 'stride':
      return layouts[slot.tensor]?.strides[slot.axis];
    case 'offset':
      return layouts[slot.tensor]?.offset;
    case 'size':
      return layouts[slot.tensor]?.shape[slot.axis];
    case 'length':
      return sizes[slot.name];
    case 'uniform':
      return uniforms[slot.name];
    case 'number':
      return numbers[slot.name];
  }
}

/** The arguments of a dispatch, as their bits. @throws BackendError for what is missing or no 32-bit int. */
export function argumentsOf(kind: string, slots: readonly Slot[], given: Given): Int32Array<ArrayBuffer> {
  const words = new Int32Array(Math.max(1, Math.ceil(slots.length / 4)) * 4);
  const floats = new Float32Array(words.buffer);
  for (const [at, slot] of slots.entries()) {
    const value = valueIn(slot, given);
    if (value === undefined) throw new BackendError(`webgpu: ${kind}: expected ${nameOf(slot)}, got none.`);
    if (slot.kind === 'uniform' && slot.type === 'float') {
      floats[at] = value;
      continue;
    }
    // Bits above those of an int come from planners that count without a sign.
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) {
      throw new BackendError(
        `webgpu: ${kind}: expected ${nameOf(slot)} to be an int of 32 bits, got ${value}. Split the tensor.`,
      );
    }
    words[at] = value;
  }
  return words;
}

const PAGE = 2 ** 16;
const PAGES = 3;

/** Several buffers in turn, so that a submission need not wait for the one before it to be read. */
export class ArgumentRing {
  readonly #device: GPUDevice;
  readonly #alignment: number;
  readonly #bytes = new Uint8Array(PAGE);
  readonly #pages: GPUBuffer[] = [];
  #page = 0;
  #used = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#alignment = device.limits.minUniformBufferOffsetAlignment;
    for (let i = 0; i < PAGES; i++)
      this.#pages.push(device.createBuffer({ label: 'arguments', size: PAGE, usage: UNIFORM | COPY_DST }));
  }

  get pages(): readonly GPUBuffer[] {
    return this.#pages;
  }

  /** The buffer that takes arguments now. */
  get page(): GPUBuffer {
    return this.#pages[this.#page] as GPUBuffer;
  }

  /** Whether so many bytes have room before the next submission. */
  fits(bytes: number): boolean {
    return this.#used + bytes <= PAGE;
  }

  /** Keeps words for the next submission; gives their offset in the page. */
  put(words: Int32Array<ArrayBuffer>): number {
    const at = this.#used;
    this.#bytes.set(new Uint8Array(words.buffer), at);
    this.#used = Math.ceil((at + words.byteLength) / this.#alignment) * this.#alignment;
    return at;
  }

  /** Writes what was put, right before the submission that reads it. */
  upload(): void {
    if (this.#used === 0) return;
    const bytes = Math.min(this.#used, PAGE);
    this.#device.queue.writeBuffer(this.page, 0, this.#bytes, 0, bytes);
    this.#page = (this.#page + 1) % PAGES;
    this.#used = 0;
  }
}
