import { erf as erfNode, evaluator, scalar, threefry, trace } from '@heed/expr';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { distance, everyExponent, spread } from '../../../../trials/numbers.fixture.ts';
import type { Lanes, Simd } from '../simd.ts';
import { machines, onArrays } from './arrays.fixture.ts';
import { floorDivInt, modInt } from './division.ts';
import { exp, exp2, sigmoid } from './exponential.ts';
import * as half from './half.ts';
import { erf, tanh } from './hyperbolic.ts';
import { log, log1p } from './logarithm.ts';
import { pow } from './power.ts';
import { random } from './random.ts';
import { cos, sin } from './trigonometric.ts';

const exactErf = (() => {
  const ready = evaluator([trace('erf', scalar, (x) => erfNode(x('x', scalar)))]);
  return (x: number): number => {
    ready.set('x', x);
    ready.run();
    return ready.number();
  };
})();

interface Case {
  readonly name: string;
  readonly f: (s: Simd, x: Lanes) => Lanes;
  readonly exact: (x: number) => number;
  /** The stated bound, in ulp. */
  readonly bound: number;
  readonly low: number;
  readonly high: number;
  readonly least?: number;
}

const cases: readonly Case[] = [
  { name: 'exp', f: exp, exact: Math.exp, bound: 1, low: -105, high: 90 },
  {
    name: 'exp2',
    f: exp2,
    exact: (x) => (x <= -127 ? 0 : 2 ** x),
    bound: 1.2,
    low: -126,
    high: 127,
    least: -126,
  },
  { name: 'sigmoid', f: sigmoid, exact: (x) => 1 / (1 + Math.exp(-x)), bound: 2.3, low: -110, high: 30 },
  { name: 'log', f: log, exact: Math.log, bound: 0.8, low: 0, high: 4 },
  { name: 'log1p', f: log1p, exact: Math.log1p, bound: 1.5, low: -1, high: 4 },
  { name: 'tanh', f: tanh, exact: Math.tanh, bound: 5.5, low: -10, high: 10 },
  { name: 'erf', f: erf, exact: exactErf, bound: 7, low: -5, high: 5 },
  { name: 'sin', f: sin, exact: Math.sin, bound: 1.6, low: -100, high: 100 },
  { name: 'cos', f: cos, exact: Math.cos, bound: 1.6, low: -100, high: 100 },
];

describe.each(machines)('on a machine with relaxed SIMD $relaxed', (machine) => {
  it.each(cases)('$name stays within $bound ulp', ({ name, f, exact, bound, low, high }) => {
    const run = onArrays(f, 1, machine);
    const worst = { at: Number.NaN, by: 0 };
    const slow = name === 'erf' ? 0.1 : 1;
    for (const inputs of [spread(low, high, 400_000 * slow), everyExponent(400 * slow)]) {
      const found = new Float32Array(run(inputs));
      inputs.forEach((x, i) => {
        if (name === 'exp2' && (x > 127 || (x < -126 && x > -127))) return;
        const by = distance(found[i] as number, exact(x));
        if (!(by <= worst.by)) Object.assign(worst, { at: x, by, found: found[i], exact: exact(x) });
      });
    }
    if (process.env.SHOW) console.log(name, worst);
    expect(worst.by, `at ${worst.at}`).toBeLessThanOrEqual(bound);
  });

  it('pow stays within 0.51 ulp and knows every special case', () => {
    const run = onArrays(pow, 2, machine);
    const special = [0, -0, 1, -1, 2, 3, -3, 0.5, -0.5, Infinity, -Infinity, NaN, 1e38, 1e-45, 1e10, -1e10];
    const some = [...everyExponent(2)].slice(0, 512);
    const [a, b]: [number[], number[]] = [[], []];
    for (const x of [...special, ...some]) {
      for (const y of [...special, 0.001, 17, -22.5, 1.0000001, 0.33333]) {
        a.push(x);
        b.push(y);
      }
    }
    while (a.length % 8) [a.push(1), b.push(1)];
    const [left, right] = [Float32Array.from(a), Float32Array.from(b)];
    const found = new Float32Array(run(left, right));
    let worst = { by: 0, at: '' };
    left.forEach((x, i) => {
      const y = right[i] as number;
      const by = distance(found[i] as number, x ** y);
      if (!(by <= worst.by)) worst = { by, at: `${x} ** ${y} = ${found[i]}` };
    });
    if (process.env.SHOW) console.log('pow', worst);
    expect(worst.by, worst.at).toBeLessThanOrEqual(0.51);
  });

  it('divides ints as floor does', () => {
    const values = [
      0,
      1,
      -1,
      2,
      -2,
      3,
      7,
      -7,
      8,
      1000003,
      -1000003,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 30,
      715827883,
    ];
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    while (pairs.length % 8) pairs.push([5, 3]);
    const [a, b] = [Int32Array.from(pairs, ([x]) => x), Int32Array.from(pairs, ([, y]) => y)];
    const quotient = new Int32Array(onArrays(floorDivInt, 2, machine)(a, b));
    const rest = new Int32Array(onArrays(modInt, 2, machine)(a, b));
    pairs.forEach(([x, y], i) => {
      expect([x, y, quotient[i], rest[i]]).toEqual([
        x,
        y,
        y === 0 ? 0 : Math.floor(x / y) | 0,
        y === 0 ? 0 : (x - y * Math.floor(x / y)) | 0,
      ]);
    });
  });

  it('draws the numbers that @heed/expr draws', () => {
    const words = [0, 1, -1, 0x12345678, -559038737, 42, 7, 1 << 31].map((n) => n | 0);
    const arrays = [3, 5, 6, 7].map((step) =>
      Int32Array.from({ length: 64 }, (_, i) => words[(i * step + (i >> 3)) % 8] as number),
    );
    const found = new Float32Array(onArrays(random as never, 4, machine)(...arrays));
    found.forEach((value, i) => {
      const [seed, stream, counter, counter2] = arrays.map((all) => all[i]) as [
        number,
        number,
        number,
        number,
      ];
      expect(value).toBe((threefry(seed, stream, counter, counter2)[0] >>> 8) * 2 ** -24);
    });
  });

  it('converts floats of 16 bits as the contract does', () => {
    const patterns = Int32Array.from({ length: 65536 }, (_, i) => i);
    const formats = [
      {
        from: half.fromFloat16,
        to: half.toFloat16,
        exactFrom: fromFloat16,
        exactTo: toFloat16,
        loaded: patterns.map((bits) => (bits << 16) >> 16),
      },
      {
        from: half.fromBfloat16,
        to: half.toBfloat16,
        exactFrom: fromBfloat16,
        exactTo: toBfloat16,
        loaded: patterns,
      },
    ];
    for (const { from, to, exactFrom, exactTo, loaded } of formats) {
      const widened = new Float32Array(onArrays(from, 1, machine)(loaded));
      widened.forEach((value, i) => {
        if (!Object.is(value, Math.fround(exactFrom(i)))) expect.fail(`${i}: ${value}, not ${exactFrom(i)}`);
      });
      const inputs = everyExponent(400);
      const middles = Float32Array.from(
        widened,
        (value, i) => value + ((widened[(i + 1) % 65536] as number) - value) / 2,
      );
      for (const values of [inputs, middles, widened]) {
        const stored = new Int32Array(onArrays(to, 1, machine)(values));
        values.forEach((value, i) => {
          if (stored[i] !== exactTo(value)) expect.fail(`${value}: ${stored[i]}, not ${exactTo(value)}`);
        });
      }
    }
  });
});
