// Weights exp(score - level) with level = log sum exp, in one sweep: a running maximum for each row, and the sum of what lies
// below it.

import { float, type Lanes, typeOf } from '../lanes.ts';
import { define } from '../math/define.ts';
import { nanBits } from '../math/special.ts';
import type { Context } from './context.ts';
import { isLiteral } from './formulas.ts';
import type { PairKernel } from './kernel.ts';
import { type Exchange, gatherRows, mapRows, type RowCells, rowVariables, setRows } from './rows.ts';
import { cellWidth } from './shape.ts';

/** Below every finite score, and finite itself: differences to it are numbers. */
export const LEAST = float(-3.4028234663852886e38);

/**
 * exp of what is at most zero. WGSL's own may be 3 + 2|x| units in the last place off, which no sum here notices: where x is
 * far below zero the result counts for nothing beside the largest, which is one. NaN stays NaN.
 */
const expBelow = define('exp_below', (parts) => {
  const { name, F, U } = parts;
  return `fn ${name}(x: ${F}) -> ${F} {
  let u = bitcast<${U}>(x);
  return bitcast<${F}>(select(bitcast<${U}>(exp(x)), u, ${nanBits(parts, 'u')}));
}`;
});

/** What a sweep leaves: for each row the largest score, the sum of exp(score - it), and 1 where a pair was allowed. */
export interface SoftmaxRows {
  readonly maximum: RowCells;
  readonly sum: RowCells;
  /** Null where it was not watched: without a sink a sum of zero says as much. */
  readonly seen: RowCells | null;
}

export interface SoftmaxOptions {
  readonly kernel: PairKernel;
  readonly exchange: Exchange;
  readonly context: Context;
  readonly from: string;
  readonly to: string;
  /** Whether to tell if a pair was allowed at all: a sum alone does not where a sink is added to it. */
  readonly watch: boolean;
  /** A score of each row that the maximum begins with; null where there is none. */
  readonly sink: Lanes | null;
}

export function streamSoftmax({
  kernel,
  exchange,
  context,
  from,
  to,
  watch,
  sink,
}: SoftmaxOptions): SoftmaxRows {
  const { code, shader, shape } = kernel;
  const { width } = shape;
  const type = typeOf('float', width);
  const maximum = rowVariables(kernel, 'maximum', LEAST);
  const sum = rowVariables(kernel, 'sum', '0.0');
  const seen = watch ? rowVariables(kernel, 'seen', '0.0') : null;
  if (sink) {
    const first = gatherRows(kernel, 'sink', sink);
    setRows(
      kernel,
      maximum,
      mapRows(kernel, 'maximum', [maximum, first], ([a, b]) => `max(${a}, ${b})`),
    );
  }
  const [expOf, expOfRows] = [shader.use(expBelow(width)), shader.use(expBelow(cellWidth(shape)))];
  kernel.sweep(from, to, ({ first, scores, allowed }) => {
    const tops = scores.map((score, g) => {
      const top = code.let('top', `select(${splat(LEAST, width)}, ${score}, ${allowed[g]})`);
      return width === 1 ? top : `max(max(${top}.x, ${top}.y), max(${top}.z, ${top}.w))`;
    });
    const here = exchange.combine(gatherRows(kernel, 'top', tops), (a, b) => `max(${a}, ${b})`);
    const next = mapRows(kernel, 'next', [maximum, here], ([a, b]) => `max(${a}, ${b})`);
    const fade = mapRows(kernel, 'fade', [maximum, next], ([a, b]) => `${expOfRows}(${a} - ${b})`);
    setRows(kernel, maximum, next);
    const weights = scores.map((score, g) =>
      code.let('weight', `select(${type}(), ${expOf}(${score} - ${next.of(g)}), ${allowed[g]})`),
    );
    const added = gatherRows(
      kernel,
      'added',
      weights.map((weight) =>
        width === 1 ? weight : `${weight}.x + ${weight}.y + ${weight}.z + ${weight}.w`,
      ),
    );
    setRows(
      kernel,
      sum,
      mapRows(kernel, 'sum', [sum, fade, added], ([a, b, c]) => `${a} * ${b} + ${c}`),
    );
    if (seen) {
      const any = gatherRows(
        kernel,
        'any',
        allowed.map((one) => `select(0.0, 1.0, ${width === 1 ? one : `any(${one})`})`),
      );
      setRows(
        kernel,
        seen,
        mapRows(kernel, 'seen', [seen, any], ([a, b]) => `max(${a}, ${b})`),
      );
    }
    context.scale(fade);
    context.add(first, reweighed(kernel, weights), allowed);
  });
  return {
    maximum,
    sum: exchange.combine(sum, (a, b) => `${a} + ${b}`),
    seen: seen && exchange.combine(seen, (a, b) => `max(${a}, ${b})`),
  };
}

/** Weights times the reweight, where there is one. */
export function reweighed(kernel: PairKernel, weights: Lanes): Lanes {
  const { reweight } = kernel.design.program;
  if (isLiteral(reweight, 1)) return weights;
  const factors = kernel.ofPairs(reweight);
  return weights.map((weight, g) => kernel.code.let('weight', `${weight} * ${factors[g]}`));
}

export const splat = (value: string, width: 1 | 4): string => (width === 1 ? value : `vec4<f32>(${value})`);
