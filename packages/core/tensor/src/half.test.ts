import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts';

const formats = [
  { name: 'float16', from: fromFloat16, to: toFloat16, infinite: 0x7c00, largest: 65504 },
  {
    name: 'bfloat16',
    from: fromBfloat16,
    to: toBfloat16,
    infinite: 0x7f80,
    largest: (2 - 2 ** -7) * 2 ** 127,
  },
];

describe.each(formats)('$name', ({ from, to, infinite, largest }) => {
  it('gives every pattern back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = from(bits);
      if (Number.isNaN(value)) expect(bits & 0x7fff).toBeGreaterThan(infinite);
      else if (to(value) !== bits) expect.fail(`${bits.toString(16)} became ${to(value).toString(16)}`);
    }
  });

  it('rounds to the nearest, and to the even one of two as near', () => {
    for (let bits = 0; bits < infinite; bits++) {
      const low = from(bits);
      const high = bits + 1 === infinite ? 2 * largest - from(infinite - 2) : from(bits + 1);
      const middle = low + (high - low) / 2;
      const tie = bits % 2 === 0 ? bits : bits + 1;
      // A step of 2^-40 of the gap is far below what a float32 would keep: rounding twice would be found out.
      const step = (high - low) * 2 ** -40;
      const found = [to(middle), to(middle - step), to(middle + step), to(-middle)];
      const expected = [tie, bits, bits + 1, tie | 0x8000];
      if (found.join() !== expected.join())
        expect.fail(`between ${low} and ${high}: ${found} instead of ${expected}`);
    }
  });

  it('keeps zero signs, infinities and NaN', () => {
    expect([to(0), to(-0), to(Infinity), to(-Infinity), to(1e300)]).toEqual([
      0,
      0x8000,
      infinite,
      infinite | 0x8000,
      infinite,
    ]);
    expect(from(to(NaN))).toBeNaN();
    expect(to(5e-324)).toBe(0);
    expect(from(infinite - 1)).toBe(largest);
  });
});

describe('float16', () => {
  it('agrees with numbers of IEEE 754-2008', () => {
    expect([0x3c00, 0x0001, 0x0400, 0xc000, 0x3555].map(fromFloat16)).toEqual([
      1,
      2 ** -24,
      2 ** -14,
      -2,
      0.333251953125,
    ]);
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    const words = new Uint32Array(1);
    const floats = new Float32Array(words.buffer);
    for (let bits = 0; bits < 0x10000; bits++) {
      words[0] = bits * 0x10000;
      if (!Object.is(fromBfloat16(bits), floats[0]) && !Number.isNaN(floats[0]))
        expect.fail(`pattern ${bits}`);
    }
  });
});
