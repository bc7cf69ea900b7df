// Sizes of buffers, rounded so that one which was given back fits many requests.

const LEAST = 256;
/** From here on a step is a sixteenth of a power of two, not a quarter: what is lost to rounding counts. */
const LARGE = 2 ** 20;

/** The size of the buffer for so many bytes, a multiple of 64; only where the device has no larger one less, of 4. */
export function sizeClass(bytes: number, most: number): number {
  if (bytes <= LEAST) return LEAST;
  const power = 2 ** Math.floor(Math.log2(bytes));
  const step = power / (bytes > LARGE ? 16 : 4);
  const rounded = Math.ceil(bytes / step) * step;
  return rounded <= most ? rounded : Math.ceil(bytes / 4) * 4;
}
