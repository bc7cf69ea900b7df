import { type DType, dtypes, fromFloat16 } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { cells } from './cells.ts';

const kept = (dtype: DType, value: number): number => {
  const one = cells[dtype](new ArrayBuffer(16));
  one.write(1, value);
  return one.read(1);
};

describe('cells', () => {
  it('store each dtype by rounding once', () => {
    expect(kept('float64', 0.1)).toBe(0.1);
    expect(kept('float32', 0.1)).toBe(Math.fround(0.1));
    expect(kept('float16', 0.1)).toBe(fromFloat16(0x2e66));
    expect(kept('bfloat16', 0.1)).toBe(0.10009765625);
    expect(kept('int32', 2 ** 31)).toBe(-(2 ** 31));
    expect([1, 0, -3, Number.NaN].map((one) => kept('bool', one))).toEqual([1, 0, 1, 1]);
  });

  it('store int8 rounded to even and saturated', () => {
    const given = [0.5, 1.5, -0.5, -2.5, 2.6, 200, -200, Infinity, Number.NaN];
    expect(given.map((one) => kept('int8', one))).toEqual([0, 2, 0, -2, 3, 127, -128, 127, 0]);
  });

  it('take as many bytes as the contract says', () => {
    for (const [dtype, { bytes }] of Object.entries(dtypes) as [DType, { bytes: number }][]) {
      const buffer = new ArrayBuffer(16);
      const all = cells[dtype](buffer);
      all.write(1, 1);
      const first = new Uint8Array(buffer).findIndex((byte) => byte !== 0);
      expect(Math.floor(first / bytes), dtype).toBe(1);
    }
  });
});
