// Threefry-2x32 with 20 rounds in every lane, bit for bit that of @heed/expr.
// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.2.

import { define } from './define.ts';

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = '0x1bd11bdau';
const ROUNDS = 20;

/** A uniform float in [0, 1): the first word's upper 24 bits over 2^24. Exact. */
export const random = define('random', ({ name, F, I, U }) => {
  const lines: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const turn = ROTATIONS[round % 8] as number;
    lines.push('a = a + b;', `b = ((b << ${U}(${turn}u)) | (b >> ${U}(${32 - turn}u))) ^ a;`);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      lines.push(`a = a + key${injection % 3};`, `b = b + key${(injection + 1) % 3} + ${U}(${injection}u);`);
    }
  }
  return `fn ${name}(seed: ${I}, stream: ${I}, counter: ${I}, counter2: ${I}) -> ${F} {
  let key0 = bitcast<${U}>(seed);
  let key1 = bitcast<${U}>(stream);
  let key2 = key0 ^ key1 ^ ${U}(${PARITY});
  var a = bitcast<${U}>(counter) + key0;
  var b = bitcast<${U}>(counter2) + key1;
${lines.map((line) => `  ${line}`).join('\n')}
  return ${F}(a >> ${U}(8u)) * ${F}(5.9604644775390625e-8f);
}`;
});
