import { comparisons, erf as erfNode, evaluator, scalar, threefry, trace } from '@heed/expr';
import { describe, expect, it } from 'vitest';
import { distance, everyExponent, spread } from '../../../../trials/numbers.fixture.ts';
import { onArrays, places } from '../arrays.fixture.ts';
import { comparison } from './compare.ts';
import type { WidthFunction } from './define.ts';
import { floorDivFloat, floorDivInt, modFloat, modInt } from './division.ts';
import { erf } from './erf.ts';
import { exp, sigmoid, softmaxExp } from './exponential.ts';
import { maximum, minimum } from './extreme.ts';
import { tanh } from './hyperbolic.ts';
import { log, log1p } from './logarithm.ts';
import { pow } from './power.ts';
import { random } from './random.ts';
import { sign, toInt } from './rounding.ts';
import { infinity, isNan, nan, negativeInfinity } from './special.ts';
import { cos, sin } from './trigonometric.ts';

const exactErf = (() => {
  const ready = evaluator([trace('erf', scalar, (x) => erfNode(x('x', scalar)))]);
  return (x: number): number => {
    ready.set('x', x);
    ready.run();
    return ready.number();
  };
})();

const LEAST_NORMAL = 2 ** -126;
const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < LEAST_NORMAL;
/** Devices may take subnormal numbers for zero, as arguments and as results. */
const error = (found: number, exact: number): number =>
  Math.abs(exact) < LEAST_NORMAL && Math.abs(found) <= LEAST_NORMAL ? 0 : distance(found, exact);

interface Case {
  readonly name: string;
  readonly f: WidthFunction;
  readonly exact: (x: number) => number;
  /** The stated bound, in ulp. */
  readonly bound: number;
  readonly low: number;
  readonly high: number;
}

const cases: readonly Case[] = [
  { name: 'exp', f: exp, exact: Math.exp, bound: 1, low: -105, high: 90 },
  { name: 'sigmoid', f: sigmoid, exact: (x) => 1 / (1 + Math.exp(-x)), bound: 2.5, low: -110, high: 30 },
  { name: 'log', f: log, exact: Math.log, bound: 1, low: 0, high: 4 },
  { name: 'log1p', f: log1p, exact: Math.log1p, bound: 2.5, low: -1, high: 4 },
  { name: 'tanh', f: tanh, exact: Math.tanh, bound: 3, low: -10, high: 10 },
  { name: 'erf', f: erf, exact: exactErf, bound: 7, low: -5, high: 5 },
  { name: 'sin', f: sin, exact: Math.sin, bound: 2, low: -100, high: 100 },
  { name: 'cos', f: cos, exact: Math.cos, bound: 2, low: -100, high: 100 },
];

const specials = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  -3,
  7,
  -7,
  0.5,
  -0.5,
  5.5,
  Infinity,
  -Infinity,
  NaN,
  1e38,
  1e10,
  -1e10,
  0.001,
];
/** All pairs of special numbers, and of a few of every size: a multiple of four. */
const [lefts, rights] = (() => {
  const some = [...specials, ...everyExponent(1)].filter((x) => !isSubnormal(Math.fround(x)));
  const [a, b]: [number[], number[]] = [[], []];
  for (const x of some) {
    for (const y of specials) {
      a.push(x, y, x, x);
      b.push(y, x, x, y * 1.7);
    }
  }
  return [Float32Array.from(a), Float32Array.from(b)];
})();

describe.each(places)('on $name, $width wide', (place) => {
  const { width } = place;
  const call =
    (f: WidthFunction) =>
    (shader: { use(one: ReturnType<WidthFunction>): string }, args: readonly string[]): string =>
      `${shader.use(f(width))}(${args.join(', ')})`;
  const floats = async (f: WidthFunction, ...args: Float32Array<ArrayBuffer>[]): Promise<Float32Array> =>
    new Float32Array(await onArrays(place, 'float', call(f), ...args));
  const ints = async (f: WidthFunction, ...args: Int32Array<ArrayBuffer>[]): Promise<Int32Array> =>
    new Int32Array(await onArrays(place, 'int', call(f), ...args));

  it.each(cases)('$name stays within $bound ulp', async ({ name, f, exact, bound, low, high }) => {
    const worst = { at: Number.NaN, by: 0 };
    const slow = name === 'erf' ? 0.1 : 1;
    for (const inputs of [spread(low, high, 200_000 * slow), everyExponent(400 * slow)]) {
      const found = await floats(f, inputs);
      inputs.forEach((x, i) => {
        const by = isSubnormal(x) && found[i] === exact(0) ? 0 : error(found[i] as number, exact(x));
        if (!(by <= worst.by)) Object.assign(worst, { at: x, by, found: found[i], exact: exact(x) });
      });
    }
    if (process.env.SHOW) console.log(name, worst);
    expect(worst.by, `at ${worst.at}`).toBeLessThanOrEqual(bound);
  });

  it('softmaxExp stays within 4 ulp of one, and knows NaN and infinity', async () => {
    const inputs = spread(-100, 0, 100_000);
    const found = await floats(softmaxExp, inputs);
    inputs.forEach((x, i) => {
      const by = Math.abs((found[i] as number) - Math.exp(x));
      if (!(by < 4 * 2 ** -24)) expect.fail(`exp(${x}) = ${found[i]}`);
    });
    expect([...(await floats(softmaxExp, Float32Array.of(NaN, -Infinity, 0, -1e30)))]).toEqual([
      NaN,
      0,
      1,
      0,
    ]);
  });

  it('pow stays within 2 ulp and knows every special case', async () => {
    const [a, b] = [[...lefts], [...rights]];
    // Large exponents near one, where every digit of the logarithm counts.
    for (let i = 0; i < 20_000; i++) {
      const base = 1 + ((i % 2 ? 0.29 : -0.29) * ((i * 7919) % 20_011)) / 20_011 / 2 ** (i % 12);
      a.push(base);
      b.push((100 * Math.sin(i)) / Math.log2(base || 2) || 3);
    }
    const [left, right] = [Float32Array.from(a), Float32Array.from(b)];
    const found = await floats(pow, left, right);
    let worst = { by: 0, at: '' };
    left.forEach((x, i) => {
      const y = right[i] as number;
      const by = error(found[i] as number, x ** y);
      if (!(by <= worst.by)) worst = { by, at: `${x} ** ${y} = ${found[i]}` };
    });
    if (process.env.SHOW) console.log('pow', worst);
    expect(worst.by, worst.at).toBeLessThanOrEqual(2);
  });

  it('divides floats as floor does', async () => {
    const quotients = await floats(floorDivFloat, lefts, rights);
    const rests = await floats(modFloat, lefts, rights);
    lefts.forEach((a, i) => {
      const b = rights[i] as number;
      if (isSubnormal(b)) return;
      const quotient = Math.floor(a / b);
      if (!(distance(quotients[i] as number, quotient) <= 1))
        expect.fail(`floor(${a} / ${b}) = ${quotients[i]}`);
      if (Number.isFinite(quotient) && Math.abs(quotient) > 2 ** 24) return;
      const rest = a - b * quotient;
      if (!(error(rests[i] as number, rest) <= 1)) expect.fail(`${a} mod ${b} = ${rests[i]}, not ${rest}`);
    });
  });

  it('divides ints as floor does', async () => {
    const least = -(2 ** 31);
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
      least,
      2 ** 30,
      715827883,
      5,
    ];
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    const [a, b] = [Int32Array.from(pairs, ([x]) => x), Int32Array.from(pairs, ([, y]) => y)];
    const [quotients, rests] = [await ints(floorDivInt, a, b), await ints(modInt, a, b)];
    pairs.forEach(([x, y], i) => {
      expect([x, y, quotients[i], rests[i]]).toEqual([
        x,
        y,
        y === 0 ? 0 : Math.floor(x / y) | 0,
        y === 0 ? 0 : (x - y * Math.floor(x / y)) | 0,
      ]);
    });
  });

  it.each([
    ['minimum', minimum, Math.min],
    ['maximum', maximum, Math.max],
  ] as const)('%s lets NaN win, and tells zeros apart', async (_, f, exact) => {
    const found = await floats(f, lefts, rights);
    lefts.forEach((a, i) => {
      const b = rights[i] as number;
      if (isSubnormal(b) || Object.is(found[i], exact(a, b))) return;
      expect.fail(`of ${a} and ${b}: ${found[i]}`);
    });
  });

  it('compares as IEEE 754 does', async () => {
    const exact = {
      lt: (a: number, b: number) => a < b,
      le: (a: number, b: number) => a <= b,
      gt: (a: number, b: number) => a > b,
      ge: (a: number, b: number) => a >= b,
      eq: (a: number, b: number) => a === b,
      ne: (a: number, b: number) => a !== b,
    };
    for (const op of comparisons) {
      const found = new Int32Array(
        await onArrays(
          place,
          'bool',
          (shader, [a, b]) => comparison(shader, op, width, a as string, b as string),
          lefts,
          rights,
        ),
      );
      lefts.forEach((a, i) => {
        const b = rights[i] as number;
        if (isSubnormal(b) || found[i] === Number(exact[op](a, b))) return;
        expect.fail(`${a} ${op} ${b}: ${found[i]}`);
      });
    }
  });

  it('rounds to ints, and takes signs', async () => {
    const edges = [2 ** 31, -(2 ** 31), 2 ** 31 - 128, -(2 ** 31) - 256, 2.9, -0.5, 1e10, -1e10];
    const inputs = Float32Array.from([...edges, ...everyExponent(10)]);
    const whole = new Int32Array(await onArrays(place, 'int', call(toInt), inputs));
    const strange = new Int32Array(await onArrays(place, 'bool', call(isNan), inputs));
    const signs = await floats(sign, inputs);
    inputs.forEach((x, i) => {
      const floor = Math.min(Math.max(Math.floor(x), -(2 ** 31)), 2 ** 31 - 1);
      expect([x, signs[i], strange[i]]).toEqual([x, Math.sign(x), Number.isNaN(x) ? 1 : 0]);
      if (!isSubnormal(x)) expect([x, whole[i]]).toEqual([x, Number.isNaN(x) ? 0 : floor + 0]);
    });
  });

  it('has infinities and NaN', async () => {
    for (const [f, exact] of [
      [infinity, Infinity],
      [negativeInfinity, -Infinity],
      [nan, NaN],
    ] as const) {
      const found = await onArrays(
        place,
        'float',
        (shader) => `${shader.use(f(width))}()`,
        new Float32Array(4),
      );
      expect([...new Float32Array(found)]).toEqual([exact, exact, exact, exact]);
    }
  });

  it('draws the numbers that @heed/expr draws', async () => {
    const words = [0, 1, -1, 0x12345678, -559038737, 42, 7, 1 << 31].map((n) => n | 0);
    const arrays = [3, 5, 6, 7].map((step) =>
      Int32Array.from({ length: 64 }, (_, i) => words[(i * step + (i >> 3)) % 8] as number),
    );
    const found = new Float32Array(await onArrays(place, 'float', call(random), ...arrays));
    found.forEach((value, i) => {
      const [seed, stream, counter, counter2] = arrays.map((all) => all[i] as number) as [
        number,
        number,
        number,
        number,
      ];
      expect(value).toBe((threefry(seed, stream, counter, counter2)[0] >>> 8) * 2 ** -24);
    });
  });
});
