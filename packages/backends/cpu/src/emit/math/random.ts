// Threefry-2x32 with 20 rounds in four lanes, bit for bit that of @heed/expr.
// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.2.

import type { Lanes, Simd } from '../simd.ts';

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;
const ROUNDS = 20;

/** A uniform float in [0, 1): the first word's upper 24 bits over 2^24. Exact. */
export function random(s: Simd, seed: Lanes, stream: Lanes, counter: Lanes, counter2: Lanes): Lanes {
  const keys = [seed, stream, s.op('v128.xor', s.op('v128.xor', seed, stream), s.int(PARITY))];
  let a = s.op('i32x4.add', counter, seed);
  let b = s.op('i32x4.add', counter2, stream);
  for (let round = 0; round < ROUNDS; round++) {
    a = s.op('i32x4.add', a, b);
    const turn = ROTATIONS[round % 8] as number;
    const turned = s.op('v128.or', s.shift('i32x4.shl', b, turn), s.shift('i32x4.shr_u', b, 32 - turn));
    b = s.op('v128.xor', turned, a);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      a = s.op('i32x4.add', a, keys[injection % 3] as Lanes);
      b = s.op('i32x4.add', s.op('i32x4.add', b, keys[(injection + 1) % 3] as Lanes), s.int(injection));
    }
  }
  const upper = s.op('f32x4.convert_i32x4_s', s.shift('i32x4.shr_u', a, 8));
  return s.op('f32x4.mul', upper, s.float(2 ** -24));
}
