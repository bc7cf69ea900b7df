// How fast pairs of features turn where a sequence is longer than those that a model was trained on.

import { ValueError } from '@heed/tensor';
import { frequencies } from './angles.ts';

/** Every pair alike, or all by one base. */
interface Uniform {
  /**
   * `'linear'` divides positions by the factor (Chen et al. 2023, arXiv 2306.15595, equation 4); `'ntk'` raises the base, base *
   * factor^(width / (width - 2)), which stretches slow turns and leaves fast ones (Peng et al. 2023, arXiv 2309.00071, equation
   * 10).
   */
  readonly by: 'linear' | 'ntk';
  /** How many times as long as before. */
  readonly factor: number;
}

/** Fast pairs stay, slow ones are stretched, and those between are mixed. */
interface ByParts {
  /**
   * `'yarn'`: Peng et al. 2023 (arXiv 2309.00071), section 3, as the authors' code, Hugging Face and the models trained with
   * them compute it: the mix goes evenly over the pairs between the two bounds (rounded outwards to whole pairs), and
   * `magnitude` is 0.1 ln(factor) + 1, the root of one over the paper's temperature. `'llama3'`: the mix goes evenly over the
   * turns between the bounds, which is the paper's own equation for "NTK-by-parts", and scores keep their size.
   */
  readonly by: 'yarn' | 'llama3';
  /** How many times as long as before. */
  readonly factor: number;
  /** How long the sequences were that the model was trained on. */
  readonly length: number;
  /** Pairs that turn this often within `length` stay as they are: 32 for `'yarn'`, 4 for `'llama3'`, if left out. */
  readonly fast?: number;
  /** Pairs that turn no more often than this are stretched by the factor; 1 if left out. */
  readonly slow?: number;
}

export type RotaryScaling = Uniform | ByParts;

/** @throws ValueError for a scaling that is none. */
export function checkScaling(scaling: RotaryScaling): void {
  const { by, factor } = scaling;
  const known = by === 'linear' || by === 'ntk' || by === 'yarn' || by === 'llama3';
  if (!known || !(factor >= 1 && Number.isFinite(factor)))
    throw new ValueError(
      `rotary: scaling expects { by: 'linear', 'ntk', 'yarn' or 'llama3', factor of at least 1 }, got ${JSON.stringify(scaling)}.`,
    );
  if (scaling.by === 'yarn' || scaling.by === 'llama3') checkBounds(scaling);
}

function checkBounds(scaling: ByParts): void {
  const { by, length } = scaling;
  const { fast, slow } = boundsOf(scaling);
  if (!(length > 0 && slow > 0 && fast > slow && Number.isFinite(length) && Number.isFinite(fast)))
    throw new ValueError(
      `rotary: scaling by '${by}' expects the length that was trained on, and fast above slow, in turns within it; got ${JSON.stringify(scaling)}.`,
    );
}

/** What features are multiplied by if nobody says. */
export const magnitudeOf = (scaling: RotaryScaling | undefined): number =>
  scaling?.by === 'yarn' ? 0.1 * Math.log(scaling.factor) + 1 : 1;

/** Radians a position for each pair. */
export function ratesOf(
  width: number,
  base: number,
  scaling: RotaryScaling | undefined,
): Float64Array<ArrayBuffer> {
  const plain = frequencies(width, base);
  switch (scaling?.by) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((one) => one / scaling.factor);
    case 'ntk':
      // A single pair has no slow ones to stretch.
      return width > 2 ? frequencies(width, base * scaling.factor ** (width / (width - 2))) : plain;
    case 'yarn':
      return mixed(plain, scaling.factor, stretchedPairs(width, base, scaling));
    case 'llama3': {
      const { fast, slow } = boundsOf(scaling);
      const turns = (rate: number) => (rate * scaling.length) / (2 * Math.PI);
      return mixed(plain, scaling.factor, (i) => (fast - turns(plain[i] as number)) / (fast - slow));
    }
  }
}

const boundsOf = ({ by, fast = by === 'yarn' ? 32 : 4, slow = 1 }: ByParts) => ({ fast, slow });

/** Each rate between itself and itself stretched. @param share of the stretched one, cut to [0, 1]. */
const mixed = (rates: Float64Array<ArrayBuffer>, factor: number, share: (pair: number) => number) =>
  rates.map((rate, i) => {
    const stretched = Math.min(Math.max(share(i), 0), 1);
    return (rate / factor) * stretched + rate * (1 - stretched);
  });

/** 0 up to the last pair that turns `fast` times within the length, 1 from the first that turns `slow` times, even between. */
function stretchedPairs(width: number, base: number, scaling: ByParts): (pair: number) => number {
  const { fast, slow } = boundsOf(scaling);
  // The pair, a fraction, that turns so often: length base^(-2 i / width) = 2 pi turns, solved for i.
  const pairAt = (turns: number) =>
    (width * Math.log(scaling.length / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const first = Math.max(Math.floor(pairAt(fast)), 0);
  const last = Math.min(Math.ceil(pairAt(slow)), width - 1);
  // Bounds that fall together are a step; the code of the paper widens it by as much.
  return (pair) => (pair - first) / (last === first ? 0.001 : last - first);
}
