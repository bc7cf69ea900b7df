// Rows (or columns) at right angles.

import { threefry } from '@heed/expr';
import { tensor } from '@heed/tensor';
import { fans, type Initializer, labelOf } from './initializer.ts';

/**
 * A matrix whose rows are orthogonal and of length `gain` (columns, where there are more rows than columns), drawn evenly
 * from all such. Axes after the first count as one. Saxe, McClelland, Ganguli 2014 (arXiv 1312.6120), section 3; the recurrent
 * weights of Bahdanau's decoder (arXiv 1409.0473, appendix B.1).
 *
 * Computed where the program runs, not on the device: O(rows * columns * the smaller).
 */
export const orthogonal = (options: { readonly gain?: number } = {}): Initializer => {
  const { gain = 1 } = options;
  return {
    kind: 'initializer',
    label: labelOf('orthogonal', options),
    draw: (device, shape, { dtype, seed }) => {
      const { fanOut, fanIn } = fans('orthogonal', [
        shape[0] as number,
        shape.slice(1).reduce((all, size) => all * size, 1),
      ]);
      const [count, length] = fanOut <= fanIn ? [fanOut, fanIn] : [fanIn, fanOut];
      const basis = orthonormal(count, length, seed());
      const numbers =
        fanOut <= fanIn
          ? basis.flatMap((row) => [...row])
          : Array.from(
              { length: fanOut * fanIn },
              (_, at) => basis[at % fanIn]?.[Math.floor(at / fanIn)] as number,
            );
      return tensor(
        device,
        Float64Array.from(numbers, (one) => gain * one),
        { dtype, shape },
      );
    },
  };
};

/** `count` vectors by the process of Gram and Schmidt, twice over, which is enough for full accuracy (Giraud et al. 2005). */
function orthonormal(count: number, length: number, seed: number): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const row = Float64Array.from({ length }, (_, j) => standardNormal(seed, i, j));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis) {
        const along = dot(row, other);
        for (let j = 0; j < length; j++) row[j] = (row[j] as number) - along * (other[j] as number);
      }
    }
    const size = Math.sqrt(dot(row, row));
    basis.push(row.map((one) => one / size));
  }
  return basis;
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, one, j) => sum + one * (b[j] as number), 0);

/** Box and Muller 1958. A direction of normal numbers is even over the sphere, so the basis is even over all bases. */
function standardNormal(seed: number, i: number, j: number): number {
  const [a, b] = threefry(seed, 0, i, j);
  return Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * b) / 2 ** 32);
}
