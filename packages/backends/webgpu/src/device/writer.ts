// Bytes on their way to the device: in their turn among the work that is enqueued.

import type { BindingLimits } from './binding.ts';
import type { Failures } from './failures.ts';
import type { Launcher } from './launcher.ts';
import { patchWord } from './patch.ts';
import type { Recorder } from './recorder.ts';

const WORD = 4;

export interface WriterOptions {
  readonly device: GPUDevice;
  readonly failures: Failures;
  readonly recorder: Recorder;
  readonly launcher: Launcher;
  readonly binding: BindingLimits;
}

export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Writes from any offset on. Whole words go straight to the queue; where bytes share a word with others, a shader changes
   * it, since the queue knows words only.
   *
   * @param until where what the buffer is for ends: bytes after that are nobody's.
   */
  write(buffer: GPUBuffer, until: number, bytes: Uint8Array, byteOffset: number): void {
    const end = byteOffset + bytes.length;
    const first = Math.min(Math.ceil(byteOffset / WORD) * WORD, end);
    const last = end === until && first < end ? end : Math.max(first, Math.floor(end / WORD) * WORD);
    const part = (from: number, to: number): Uint8Array => bytes.subarray(from - byteOffset, to - byteOffset);
    if (last > first) {
      const { device, failures, recorder } = this.#options;
      // The queue writes before anything that is submitted later.
      if (recorder.touches(buffer)) recorder.flush();
      failures.watch('write', () => device.queue.writeBuffer(buffer, first, toWords(part(first, last))));
    }
    this.#patch(buffer, byteOffset, part(byteOffset, first));
    this.#patch(buffer, last, part(last, end));
  }

  /** Writes up to three bytes that lie in one word. */
  #patch(buffer: GPUBuffer, byteOffset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { recorder, launcher, binding } = this.#options;
    const words = new DataView(new ArrayBuffer(2 * WORD));
    bytes.forEach((byte, i) => {
      words.setUint8((byteOffset % WORD) + i, byte);
      words.setUint8(WORD + (byteOffset % WORD) + i, 0xff);
    });
    const { alignment } = binding;
    const offset = Math.floor(byteOffset / alignment) * alignment;
    const part = { buffer, offset, size: Math.min(alignment, buffer.size - offset) };
    const at = Math.floor((byteOffset - offset) / WORD);
    const dispatch = patchWord(at, words.getUint32(WORD, true), words.getUint32(0, true));
    const shaders = launcher.pipelines.of('write');
    const given = { layouts: {}, uniforms: {}, sizes: {} };
    launcher.launch(recorder, 'write', shaders, dispatch, () => part, given, { nanoseconds: null });
  }
}

/** Bytes as `writeBuffer` takes them: whole words, in memory that no thread shares. */
function toWords(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Math.ceil(bytes.length / WORD) * WORD;
  const { buffer, byteOffset } = bytes;
  if (length === bytes.length && buffer instanceof ArrayBuffer)
    return new Uint8Array(buffer, byteOffset, length);
  const words = new Uint8Array(length);
  words.set(bytes);
  return words;
}
