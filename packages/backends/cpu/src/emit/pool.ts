// Constants in linear memory.
//
// V8 builds a v128 constant anew at every use (three instructions, also from a local), which made exp cost three times as
// much; a broadcast load from a pool is one instruction without the shuffle port.

/** The constants of one kernel: each once, at an offset from the place where the pool will lie. */
export class Pool {
  readonly #words: number[] = [];
  readonly #known = new Map<string, number>();

  /** The offset of a float32. */
  float(value: number): number {
    return this.words([floatBits(value)]);
  }

  /** The offset of a 32-bit int. */
  int(value: number): number {
    return this.words([value | 0]);
  }

  /** The offset of a float64. */
  double(value: number): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    return this.words([view.getInt32(0, true), view.getInt32(4, true)]);
  }

  /** The offset of words that stand together. */
  words(words: readonly number[]): number {
    const key = words.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const offset = this.#words.length * 4;
    this.#words.push(...words);
    this.#known.set(key, offset);
    return offset;
  }

  /** What must lie in memory before the kernel runs. */
  contents(): Int32Array<ArrayBuffer> {
    return Int32Array.from(this.#words);
  }
}

const words = (value: number): DataView => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view;
};
const floatBits = (value: number): number => words(value).getInt32(0);
