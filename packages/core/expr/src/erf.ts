// The Gauss error function in float64, by its two classical expansions.

/**
 * erf(x) = 2/sqrt(pi) times the integral of exp(-t²) from 0 to x; relative error below 1e-15.
 *
 * Below 2: the series with positive terms only, Abramowitz and Stegun 7.1.6 (nothing cancels). From 2 on: one minus the
 * continued fraction of erfc, 7.1.14, of which only few digits matter there.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  return size < 2 ? series(x) : Math.sign(x) * (1 - complement(size));
}

// erf(x) = 2/sqrt(pi) exp(-x²) x (1 + 2x²/3 (1 + 2x²/5 (1 + 2x²/7 (...)))), from the inside out
function series(x: number): number {
  const square = x * x;
  let total = 1;
  for (let n = 40; n > 0; n--) total = 1 + (total * 2 * square) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * x * total;
}

// sqrt(pi) exp(x²) erfc(x) = 1 / (x + (1/2) / (x + 1 / (x + (3/2) / (x + 2 / (x + ...)))))
function complement(x: number): number {
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
