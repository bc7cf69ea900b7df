// Running products and recurrences along the last axis, in as many steps as the length has bits. Hillis, Steele 1986, "Data
// parallel algorithms". Tensor operations alone, so that gradients follow.

import { add, mul, pad, type Tensor } from '@heed/tensor';

/** Moved by so many places towards the end, with `fill` before the first. */
export const shifted = (of: Tensor, by: number, fill: number): Tensor => {
  const length = of.shape.at(-1) as number;
  const before = Math.min(by, length);
  const kept = of.slice(-1, 0, length - before);
  return pad(
    kept,
    kept.shape.map((_, axis) => [axis === kept.rank - 1 ? before : 0, 0] as const),
    fill,
  );
};

const doublings = (length: number): number[] =>
  Array.from({ length: Math.ceil(Math.log2(Math.max(1, length))) }, (_, n) => 2 ** n);

/** x_j = factor_j x_(j-1) + term_j, from x_(-1) = 0. */
export function recurrence(factors: Tensor, terms: Tensor): Tensor {
  let [factor, x] = [factors, terms];
  for (const by of doublings(terms.shape.at(-1) as number)) {
    x = add(x, mul(factor, shifted(x, by, 0)));
    factor = mul(factor, shifted(factor, by, 1));
  }
  return x;
}

/** The product of the elements before each. */
export function productsBefore(of: Tensor): Tensor {
  let products = shifted(of, 1, 1);
  for (const by of doublings(of.shape.at(-1) as number)) products = mul(products, shifted(products, by, 1));
  return products;
}

/** The sum of the elements up to each. */
export function sums(of: Tensor): Tensor {
  let total = of;
  for (const by of doublings(of.shape.at(-1) as number)) total = add(total, shifted(total, by, 0));
  return total;
}
