import { type DType, dtypes, fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { everyExponent } from '../../../trials/numbers.fixture.ts';
import { adapters } from '../adapters.fixture.ts';
import { runShader } from './arrays.fixture.ts';
import { least } from './machine.ts';
import { ShaderWriter } from './shader.ts';
import { load, load4, store, store4 } from './storage.ts';

const asNumber = (dtype: DType, value: string): string =>
  dtypes[dtype].element === 'bool' ? `select(0.0, 1.0, ${value})` : `f32(${value})`;
const asNumbers = (dtype: DType, value: string): string =>
  dtypes[dtype].element === 'bool'
    ? `select(vec4<f32>(0.0), vec4<f32>(1.0), ${value})`
    : `vec4<f32>(${value})`;
/** A float, as what the dtype stores. */
const asElement = (dtype: DType, value: string): string =>
  ({ float: value, int: `i32(${value})`, bool: `(${value} != 0.0)` })[dtypes[dtype].element];
const asElements = (dtype: DType, value: string): string =>
  ({ float: value, int: `vec4<i32>(${value})`, bool: `(${value} != vec4<f32>(0.0))` })[dtypes[dtype].element];

const patterns16 = Uint16Array.from({ length: 65536 }, (_, i) => i);
const patterns8 = Uint8Array.from({ length: 256 }, (_, i) => i);
const whole = Int32Array.from({ length: 64 }, (_, i) => (i - 32) * 65537);
const numbers = everyExponent(20).filter((x) => x === 0 || !(Math.abs(x) < 2 ** -126));

interface Kind {
  readonly dtype: DType;
  readonly bytes: ArrayBuffer;
  readonly exact: readonly number[];
}
/** Every pattern of the short dtypes, some of the long ones, and the numbers that they are. */
const kinds: readonly Kind[] = [
  { dtype: 'float32', bytes: Float32Array.from(numbers).buffer, exact: [...numbers] },
  { dtype: 'int32', bytes: whole.buffer, exact: [...whole].map(Math.fround) },
  { dtype: 'float16', bytes: patterns16.buffer, exact: [...patterns16].map(fromFloat16) },
  { dtype: 'bfloat16', bytes: patterns16.buffer, exact: [...patterns16].map(fromBfloat16) },
  { dtype: 'int8', bytes: patterns8.buffer, exact: [...new Int8Array(patterns8.buffer)] },
  { dtype: 'bool', bytes: patterns8.buffer, exact: [...patterns8].map((byte) => (byte === 0 ? 0 : 1)) },
];

function expectNumbers(found: ArrayLike<number>, exact: readonly number[]): void {
  exact.forEach((value, i) => {
    if (!Object.is(found[i], value)) expect.fail(`element ${i}: ${found[i]}, not ${value}`);
  });
}

/** What stores make of floats: more than the dtype holds, halfway between its numbers, and the numbers themselves. */
const given = ((): Float32Array<ArrayBuffer> => {
  const halves = Float32Array.from(patterns16, (bits) => fromFloat16(bits));
  const middles = halves.map((value, i) => value + ((halves[(i + 1) % 65536] as number) - value) / 2);
  const upper = new Float32Array(Uint32Array.from(patterns16, (bits) => (bits << 16) + 0x8000).buffer);
  const small = Float32Array.from({ length: 1200 }, (_, i) => (i - 600) / 4);
  const all = [...halves, ...middles, ...upper, ...small, ...numbers];
  const usable = all.filter((x) => x === 0 || !(Math.abs(x) < 2 ** -126));
  return Float32Array.from(usable.slice(0, usable.length - (usable.length % 8)));
})();

const roundToEven = (x: number): number => {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};
/** The bytes of what a store should leave. */
const storing: { readonly [D in DType]?: (values: readonly number[]) => ArrayBuffer } = {
  float32: (values) => Float32Array.from(values).buffer,
  int32: (values) => Int32Array.from(values).buffer,
  float16: (values) => Uint16Array.from(values, toFloat16).buffer,
  bfloat16: (values) => Uint16Array.from(values, toBfloat16).buffer,
  int8: (values) =>
    Int8Array.from(values, (x) => (Number.isNaN(x) ? 0 : Math.min(Math.max(roundToEven(x), -128), 127)))
      .buffer,
  bool: (values) => Uint8Array.from(values, (x) => (x === 0 ? 0 : 1)).buffer,
};
const valuesFor = (dtype: DType): Float32Array<ArrayBuffer> => {
  if (dtype === 'bool') return Float32Array.from({ length: 1000 }, (_, i) => ((i * 7) % 3) & 1);
  return dtype === 'int32' ? Float32Array.from({ length: 64 }, (_, i) => (i - 32) * 1001) : given;
};

const machines = adapters.flatMap(([name, options]) => [
  { name, options, half: undefined },
  { name: `${name} without 16-bit floats`, options, half: false },
]);

describe.each(machines)('on $name', ({ options, half }) => {
  const machine = half === false ? { half } : {};

  it.each(kinds)('loads every $dtype', async ({ dtype, bytes, exact }) => {
    const { out } = await runShader(
      options,
      { x: bytes, out: new ArrayBuffer(4 * exact.length) },
      exact.length,
      (shader, i) => {
        const value = load(shader, 'x', dtype, i);
        store(shader, shader.code, 'out', 'float32', i, asNumber(dtype, value));
      },
      machine,
    );
    expectNumbers(new Float32Array(out as ArrayBuffer), exact);
  });

  it.each(kinds)('loads $dtype in fours, wherever they begin', async ({ dtype, bytes, exact }) => {
    for (const aligned of [true, false]) {
      const shift = aligned ? 0 : 3;
      const count = Math.floor((exact.length - shift) / 4);
      const { out } = await runShader(
        options,
        { x: bytes, out: new ArrayBuffer(16 * count) },
        count,
        (shader, i) => {
          const value = load4(shader, 'x', dtype, `4 * ${i} + ${shift}`, { aligned });
          store4(shader, shader.code, 'out', 'float32', `4 * ${i}`, asNumbers(dtype, value));
        },
        machine,
      );
      expectNumbers(new Float32Array(out as ArrayBuffer), exact.slice(shift, shift + 4 * count));
    }
  });

  it.each(kinds)('stores $dtype as the contract rounds', async ({ dtype }) => {
    const values = valuesFor(dtype);
    const exact = (storing[dtype] as (values: readonly number[]) => ArrayBuffer)([...values]);
    const tensors = { x: values.buffer, out: new ArrayBuffer(exact.byteLength) };
    const one = await runShader(
      options,
      tensors,
      values.length,
      (shader, i) => {
        const value = asElement(dtype, load(shader, 'x', 'float32', i));
        store(shader, shader.code, 'out', dtype, i, value);
      },
      machine,
    );
    const four = await runShader(
      options,
      tensors,
      values.length / 4,
      (shader, i) => {
        const value = asElements(dtype, load4(shader, 'x', 'float32', `4 * ${i}`, { aligned: true }));
        store4(shader, shader.code, 'out', dtype, `4 * ${i}`, value);
      },
      machine,
    );
    const bytes = new Uint8Array(exact);
    for (const found of [one.out, four.out]) {
      const stored = new Uint8Array(found as ArrayBuffer);
      bytes.forEach((byte, i) => {
        const element = Math.floor(i / dtypes[dtype].bytes);
        if (stored[i] !== byte) expect.fail(`${values[element]}: byte ${i} is ${stored[i]}, not ${byte}`);
      });
    }
  });

  it.each(kinds)('leaves the neighbours of a stored $dtype alone', async ({ dtype }) => {
    const { bytes: size } = dtypes[dtype];
    const length = 999;
    const noise = Uint8Array.from(
      { length: Math.ceil((length * size) / 4) * 4 },
      (_, i) => (i * 37 + 11) & 0xff,
    );
    const { out } = await runShader(
      options,
      { out: noise.buffer },
      length / 3,
      (shader, i) => store(shader, shader.code, 'out', dtype, `3 * ${i} + 1`, asElement(dtype, '1.0')),
      machine,
    );
    const one = new Uint8Array((storing[dtype] as (values: readonly number[]) => ArrayBuffer)([1]));
    const exact = noise.map((byte, i) => {
      const element = Math.floor(i / size);
      return element < length && element % 3 === 1 ? (one[i % size] as number) : byte;
    });
    expect(new Uint8Array(out as ArrayBuffer)).toEqual(exact);
  });

  it.each(kinds)('reads a $dtype that the same shader writes', async ({ dtype }) => {
    const length = 256;
    const store1 = storing[dtype] as (values: readonly number[]) => ArrayBuffer;
    const bits = Array.from({ length }, (_, i) => (i * 5) % 2);
    const { out } = await runShader(
      options,
      { out: store1(bits) },
      length,
      (shader, i) => {
        const before = shader.code.let(
          'before',
          asNumber(dtype, load(shader, 'out', dtype, i, { written: true })),
        );
        store(shader, shader.code, 'out', dtype, i, asElement(dtype, `1.0 - ${before}`));
      },
      machine,
    );
    expect(new Uint8Array(out as ArrayBuffer)).toEqual(new Uint8Array(store1(bits.map((bit) => 1 - bit))));
  });
});

describe('storage', () => {
  it('refuses float64', () => {
    const shader = new ShaderWriter(least);
    expect(() => load(shader, 'x', 'float64', '0')).toThrow('"x" is float64, which WGSL does not have');
    expect(() => store4(shader, shader.code, 'x', 'float64', '0', '1.0')).toThrow('"x" is float64');
  });

  it('takes one element out of a tensor that is bound in fours', () => {
    const shader = new ShaderWriter(least);
    expect(load(shader, 'x', 'float32', 'i', { aligned: true })).toBe('t0_x[(i) >> 2u][(i) & 3]');
    expect(load4(shader, 'x', 'float32', 'i', { aligned: true })).toBe('t0_x[(i) >> 2u]');
  });
});
