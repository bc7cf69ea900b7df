// Counter-based random bits: Threefry-2x32 with 20 rounds.
// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.2.

/** Bits to turn left by, round after round: the paper's table 2, column N = 2, W = 32. */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
/** The parity of the schedule for 32-bit words (Skein's C240). */
const PARITY = 0x1bd11bda;
const ROUNDS = 20;

/** The two words that seed and counter, two words each, give; all words are 32 bits, signed or not. */
export function threefry(
  seed0: number,
  seed1: number,
  counter0: number,
  counter1: number,
): readonly [number, number] {
  const x = [counter0, counter1];
  rounds(seed0, seed1, x);
  return [(x[0] as number) >>> 0, (x[1] as number) >>> 0];
}

/** A uniform float in [0, 1): the first word's upper 24 bits, so that float32 holds it exactly. */
export function threefryUniform(seed: number, stream: number, counter: number, counter2: number): number {
  const x = [counter, counter2];
  rounds(seed, stream, x);
  return ((x[0] as number) >>> 8) * 2 ** -24;
}

function rounds(seed0: number, seed1: number, x: number[]): void {
  const seeds = [seed0 | 0, seed1 | 0, PARITY ^ seed0 ^ seed1];
  let a = ((x[0] as number) + seed0) | 0;
  let b = ((x[1] as number) + seed1) | 0;
  for (let round = 0; round < ROUNDS; round++) {
    a = (a + b) | 0;
    const turn = ROTATIONS[round % 8] as number;
    b = ((b << turn) | (b >>> (32 - turn))) ^ a;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      a = (a + (seeds[injection % 3] as number)) | 0;
      b = (b + (seeds[(injection + 1) % 3] as number) + injection) | 0;
    }
  }
  x[0] = a;
  x[1] = b;
}
