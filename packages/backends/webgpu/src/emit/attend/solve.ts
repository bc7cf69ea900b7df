// Levels that take sweeps of their own before the weighing one: by root, and by argmax.

import { float, type Lanes } from '../lanes.ts';
import { maximum as maximumOf } from '../math/extreme.ts';
import { isNegativeInfinity, negativeInfinity } from '../math/special.ts';
import type { PairKernel } from './kernel.ts';
import { countedFrom, scoreTerm } from './relative.ts';
import { type Exchange, gatherRows, mapRows, type RowCells, rowVariables, setRows } from './rows.ts';
import { splat } from './softmax.ts';
import { Vote } from './vote.ts';

export interface Solved {
  /** What scores are counted from where they are weighed; null where that is nothing. */
  readonly origin: Lanes | null;
  /** The level that weights of scores so counted read. */
  readonly level: Lanes;
  /** The level of the scores themselves. */
  readonly kept: Lanes;
  /** 0 where the row is empty, else 1. */
  readonly full: RowCells;
}

/** Levels that one sweep tries at once, where time matters: it narrows the interval by one more than that. */
const TRIES = 8;
/** Sweeps after which narrowing ends in any case: an interval over all of float32 is exhausted long before. */
const MOST_SWEEPS = 60;

/**
 * The level at which weights sum to one, the sink's included: sweeps that sum the weights at several levels between two
 * ends, until no float lies between these.
 *
 * @param many levels that a sweep tries at once. Each is written out: fewer make a shorter shader.
 */
export function solveRoot(kernel: PairKernel, exchange: Exchange, sink: Lanes | null, many = TRIES): Solved {
  const { code, shader, shape, design } = kernel;
  const { width } = shape;
  const { normalizer } = design.program;
  if (normalizer.level.by !== 'root') throw new Error('attend: a root is solved for a level by root.');
  const lower = shader.use(negativeInfinity(width));
  const larger = shader.use(maximumOf(width));
  const largerRow = larger;

  const top = rowVariables(kernel, 'maximum', `${shader.use(negativeInfinity(1))}()`);
  const count = rowVariables(kernel, 'count', '0.0');
  kernel.sweep('0', kernel.keyLength, ({ scores, allowed }) => {
    const tops = scores.map((score, g) => {
      const one = code.let('top', `select(${lower}(), ${score}, ${allowed[g]})`);
      if (width === 1) return one;
      const pair = shader.use(maximumOf(1));
      return `${pair}(${pair}(${one}.x, ${one}.y), ${pair}(${one}.z, ${one}.w))`;
    });
    const here = gatherRows(kernel, 'top', tops);
    setRows(
      kernel,
      top,
      mapRows(kernel, 'top', [top, here], ([a, b]) => `${largerRow}(${a}, ${b})`),
    );
    const counted = gatherRows(
      kernel,
      'counted',
      allowed.map((one) => total(`select(${splat('0.0', width)}, ${splat('1.0', width)}, ${one})`, width)),
    );
    setRows(
      kernel,
      count,
      mapRows(kernel, 'count', [count, counted], ([a, b]) => `${a} + ${b}`),
    );
  });
  const keys = exchange.combine(count, (a, b) => `${a} + ${b}`);
  let most = exchange.combine(top, (a, b) => `${largerRow}(${a}, ${b})`);
  let members = keys;
  if (sink) {
    most = mapRows(
      kernel,
      'maximum',
      [most, gatherRows(kernel, 'sink', sink)],
      ([a, b]) => `${largerRow}(${a}, ${b})`,
    );
    members = mapRows(kernel, 'count', [keys], ([a]) => `${a} + ${splat('1.0', width)}`);
  }
  const rows = Array.from({ length: shape.group }, (_, g) => g);
  const term = scoreTerm(normalizer.weight, design.axes);
  const origin = term
    ? rows.map((g) => code.let('origin', `select(${most.of(g)}, 0.0, ${isNegativeInfinity(most.of(g))})`))
    : null;
  const tops = rows.map((g) => most.of(g));
  const known = {
    maximum: origin ? tops.map((one, g) => code.let('top', `${one} - ${origin[g]}`)) : tops,
    count: rows.map((g) => members.of(g)),
  };
  const sunk = sink && origin ? sink.map((one, g) => code.let('sink', `${one} - ${origin[g]}`)) : sink;
  const end = (hint: string, formula: Parameters<PairKernel['ofRows']>[0]): RowCells => {
    const first = gatherRows(kernel, hint, kernel.ofRows(formula, known));
    const variable = rowVariables(kernel, hint, '0.0');
    setRows(kernel, variable, first);
    return variable;
  };
  const low = end('low', normalizer.level.low);
  const high = end('high', normalizer.level.high);
  // How far from one the weights at either end sum up to; as good as infinitely far where nobody has looked.
  const far = float(3e38);
  const lowMiss = rowVariables(kernel, 'low_miss', far);
  const highMiss = rowVariables(kernel, 'high_miss', far);

  const vote = new Vote(shader);
  const sweeps = code.var('sweeps', '0', 'i32');
  code.loop(() => {
    const step = mapRows(kernel, 'step', [low, high], ([a, b]) => `(${b} - ${a}) * ${float(1 / (many + 1))}`);
    const tries = Array.from({ length: many }, (_, n) =>
      mapRows(kernel, 'try', [low, step], ([a, b]) => `${a} + ${b} * ${float(n + 1)}`),
    );
    const sums = tries.map(() => rowVariables(kernel, 'sum', '0.0'));
    kernel.sweep('0', kernel.keyLength, ({ scores, allowed }) => {
      const counted = countedFrom(kernel, scores, origin);
      tries.forEach((level, n) => {
        kernel.writer.scoped(() => {
          const levels = rows.map((g) => splat(level.of(g), width));
          const weights = kernel.ofPairs(normalizer.weight, { score: counted, level: levels });
          const added = gatherRows(
            kernel,
            'added',
            weights.map((weight, g) =>
              total(`select(${splat('0.0', width)}, ${weight}, ${allowed[g]})`, width),
            ),
          );
          const sum = sums[n] as RowCells;
          setRows(
            kernel,
            sum,
            mapRows(kernel, 'sum', [sum, added], ([a, b]) => `${a} + ${b}`),
          );
        });
      });
    });
    const changed = code.var('changed', 'false', 'bool');
    // From the highest level down: the last one at which the sum is no less than one becomes the lower end.
    const newLow = rowVariables(kernel, 'low', '0.0');
    const newHigh = rowVariables(kernel, 'high', '0.0');
    setRows(kernel, newLow, low);
    setRows(kernel, newHigh, high);
    const below = rowVariables(kernel, 'below', '1.0');
    tries.forEach((level, n) => {
      let sum = exchange.combine(sums[n] as RowCells, (a, b) => `${a} + ${b}`);
      if (sunk) {
        const own = kernel.ofRows(normalizer.weight, { score: sunk, level: rows.map((g) => level.of(g)) });
        sum = mapRows(kernel, 'sum', [sum, gatherRows(kernel, 'own', own)], ([a, b]) => `${a} + ${b}`);
      }
      const miss = mapRows(kernel, 'miss', [sum], ([a]) => `${a} - ${splat('1.0', width)}`);
      miss.cells.forEach((cell, i) => {
        const at = <T>(of: { readonly cells: readonly T[] }): T => of.cells[i] as T;
        const zero = splat('0.0', width);
        const isLow = code.let('is_low', `(${at(below)} > ${zero}) & (${cell} >= ${zero})`);
        const isHigh = code.let('is_high', `(${at(below)} > ${zero}) & !(${cell} >= ${zero})`);
        code.set(at(newLow), `select(${at(newLow)}, ${at(level)}, ${isLow})`);
        code.set(at(lowMiss), `select(${at(lowMiss)}, abs(${cell}), ${isLow})`);
        code.set(at(newHigh), `select(${at(newHigh)}, ${at(level)}, ${isHigh})`);
        code.set(at(highMiss), `select(${at(highMiss)}, abs(${cell}), ${isHigh})`);
        code.set(at(below), `select(${at(below)}, ${zero}, ${isHigh})`);
      });
    });
    low.cells.forEach((cell, i) => {
      const bits = (of: string | undefined): string => `bitcast<${width === 1 ? 'u32' : 'vec4<u32>'}>(${of})`;
      const moved = `(${bits(cell)} != ${bits(newLow.cells[i])}) | (${bits(high.cells[i])} != ${bits(newHigh.cells[i])})`;
      code.set(changed, `${changed} || ${width === 1 ? `(${moved})` : `any(${moved})`}`);
    });
    setRows(kernel, low, newLow);
    setRows(kernel, high, newHigh);
    code.line(`${sweeps} += 1;`);
    const goes = vote.any(changed);
    kernel.stage.use();
    code.if(`!${goes} || ${sweeps} >= ${MOST_SWEEPS}`, () => code.line('break;'));
  });
  const nearest = mapRows(
    kernel,
    'level',
    [low, high, lowMiss, highMiss],
    ([a, b, c, d]) => `select(${a}, ${b}, ${d} < ${c})`,
  );
  const full = gatherRows(
    kernel,
    'full',
    rows.map((g) => `select(1.0, 0.0, ${keys.of(g)} == 0.0 || ${isNegativeInfinity(most.of(g))})`),
  );
  const level = rows.map((g) => nearest.of(g));
  const shift = term && kernel.ofRows(term, { score: origin as Lanes });
  const kept = shift ? level.map((one, g) => code.let('kept', `${shift[g]} + ${one}`)) : level;
  return { origin, level, kept, full };
}

/** The position of the first largest score; the first NaN is larger than all. Compared as integers in the order of floats. */
export function solveArgmax(kernel: PairKernel, exchange: Exchange, sink: Lanes | null): Solved {
  const { code, shader, shape } = kernel;
  const { width } = shape;
  const rank = shader.use({
    name: 'rank_of',
    code: `fn rank_of(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  // Minus zero is zero; NaN comes after infinity.
  let order = select(u | 0x80000000u, ~u, (u & 0x80000000u) != 0u && u != 0x80000000u);
  return select(order, 0xffffffffu, (u & 0x7fffffffu) > 0x7f800000u);
}`,
  });
  const rows = Array.from({ length: shape.group }, (_, g) => g);
  // Nothing has the rank 0, not even minus infinity.
  const best = rows.map(() => code.var('best', '0u', 'u32'));
  const where = rows.map(() => code.var('where', '0', 'i32'));
  kernel.sweep('0', kernel.keyLength, ({ key, scores, allowed }) => {
    for (const g of rows) {
      for (const lane of width === 1 ? [''] : ['.x', '.y', '.z', '.w']) {
        const own = code.let('rank', `select(0u, ${rank}(${scores[g]}${lane}), ${allowed[g]}${lane})`);
        const wins = code.let('wins', `${own} > ${best[g]}`);
        code.set(best[g] as string, `select(${best[g]}, ${own}, ${wins})`);
        code.set(where[g] as string, `select(${where[g]}, ${key}${lane}, ${wins})`);
      }
    }
  });
  // Ranks and places travel as the bits of floats would, which no arithmetic touches.
  const asFloat = (hint: string, of: readonly string[]): RowCells =>
    gatherRows(
      kernel,
      hint,
      of.map((one) => `f32(${one})`),
    );
  const half = (of: string, shift: string): string => `(${of} ${shift})`;
  const upper = exchange.combine(
    asFloat(
      'upper',
      best.map((one) => half(one, '>> 16u')),
    ),
    (a, b) => `max(${a}, ${b})`,
  );
  const lowerOf = best.map(
    (one, g) => `select(-1.0, f32(${one} & 0xffffu), f32(${one} >> 16u) == ${upper.of(g)})`,
  );
  const lower = exchange.combine(gatherRows(kernel, 'lower', lowerOf), (a, b) => `max(${a}, ${b})`);
  const isBest = rows.map(
    (g) => `f32(${best[g]} >> 16u) == ${upper.of(g)} && f32(${best[g]} & 0xffffu) == ${lower.of(g)}`,
  );
  const beyond = float(2 ** 31);
  // Places are exact as floats in two halves.
  const placeHigh = exchange.combine(
    gatherRows(
      kernel,
      'place',
      rows.map((g) => `select(${beyond}, f32(${where[g]} >> 12u), ${isBest[g]})`),
    ),
    (a, b) => `min(${a}, ${b})`,
  );
  const placeLow = exchange.combine(
    gatherRows(
      kernel,
      'place',
      rows.map(
        (g) =>
          `select(${beyond}, f32(${where[g]} & 4095), ${isBest[g]} && f32(${where[g]} >> 12u) == ${placeHigh.of(g)})`,
      ),
    ),
    (a, b) => `min(${a}, ${b})`,
  );
  const ranks = rows.map((g) =>
    code.let('rank', `(u32(${upper.of(g)}) << 16u) | u32(max(${lower.of(g)}, 0.0))`),
  );
  const found = rows.map((g) => `f32((i32(${placeHigh.of(g)}) << 12u) | i32(${placeLow.of(g)}))`);
  const sinks = sink?.map((one) => code.let('rank', `${rank}(${one})`));
  const level = found.map((one, g) =>
    code.let('level', sinks ? `select(${one}, f32(${kernel.keyLength}), ${sinks[g]} > ${ranks[g]})` : one),
  );
  // The rank of minus infinity.
  const least = '0x007fffffu';
  const full = gatherRows(
    kernel,
    'full',
    rows.map((g) => {
      const top = sinks ? `max(${ranks[g]}, ${sinks[g]})` : ranks[g];
      return `select(1.0, 0.0, ${ranks[g]} == 0u || ${top} == ${least})`;
    }),
  );
  return { origin: null, level, kept: level, full };
}

const total = (cell: string, width: 1 | 4): string => (width === 1 ? cell : `dot(${cell}, vec4<f32>(1.0))`);
