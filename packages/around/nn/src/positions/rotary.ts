// Positions as turns: pairs of features are rotated, so that a dot product depends on distances alone.

import { add, type Expr, mul, type Scalar, sub } from '@heed/expr';
import {
  cast,
  concat,
  cos,
  elementwise,
  type FloatDType,
  ShapeError,
  sin,
  stack,
  type Tensor,
  mul as times,
  ValueError,
} from '@heed/tensor';
import { angles, type Places } from './angles.ts';
import { checkScaling, magnitudeOf, type RotaryScaling, ratesOf } from './rotary-scaling.ts';

export interface RotaryOptions {
  /**
   * Which features are a pair: the i-th of each half (`'halves'`: GPT-NeoX, LLaMA in Hugging Face's layout) or neighbours
   * (`'interleaved'`: the paper, GPT-J, LLaMA in Meta's). Weights trained with one are wrong with the other.
   */
  readonly layout: 'halves' | 'interleaved';
  /** The slowest pair turns once in about 2 pi base positions; 10000 if left out. */
  readonly base?: number;
  /** How many features of a row turn, the first ones; all if left out. Even. */
  readonly width?: number;
  /** For sequences longer than those trained on. */
  readonly scaling?: RotaryScaling;
  /** The rate of each pair in radians a position, instead of base and scaling: for any other rule, such as LongRoPE's. */
  readonly frequencies?: readonly number[];
  /**
   * What turned features are multiplied by, queries and keys alike, so that scores are multiplied by its square: Hugging
   * Face's `attention_factor`. 1 if left out, but for `'yarn'`.
   */
  readonly magnitude?: number;
}

/** Turns rows [..., length, feature] by where they stand. */
export interface Rotary {
  (rows: Tensor, places?: Places): Tensor;
  readonly kind: 'rotary';
  readonly label: string;
}

/**
 * Rotary positions: the pair (a, b) becomes (a cos t - b sin t, a sin t + b cos t) with t = position * base^(-2i / width). Su et
 * al. 2021 (RoFormer, arXiv 2104.09864), section 3.2.2. Nothing is trained; applied to queries and keys, not to values.
 *
 * @throws ValueError for options that do not go together; at a call, ShapeError for rows narrower than `width`.
 * @example rotary({ layout: 'halves' })(query, { offset: cache.length })
 */
export function rotary(options: RotaryOptions): Rotary {
  const { layout, base = 10000, width, scaling, frequencies: given } = options;
  check(options);
  if (given && (scaling || (width !== undefined && given.length !== width / 2)))
    throw new ValueError(
      'rotary: frequencies stand for base and scaling, one for each pair of features. Give them alone.',
    );
  if (scaling) checkScaling(scaling);
  const magnitude = options.magnitude ?? magnitudeOf(scaling);
  /** Nothing is multiplied by 1. */
  const sized = (of: Tensor): Tensor => (magnitude === 1 ? of : times(of, magnitude));
  const turn = (rows: Tensor, places: Places = {}): Tensor => {
    const whole = rows.shape.at(-1);
    const length = rows.shape.at(-2);
    const turning = given ? 2 * given.length : (width ?? whole);
    if (
      whole === undefined ||
      length === undefined ||
      turning === undefined ||
      whole < turning ||
      turning % 2 !== 0
    ) {
      throw new ShapeError(
        `rotary: expected rows [..., length, feature] with ${turning === undefined || turning % 2 ? 'an even number of features' : `at least ${turning} features`}, got [${rows.shape.join(', ')}].`,
      );
    }
    const rates = given ? Float64Array.from(given) : ratesOf(turning, base, scaling);
    const flat = angles('rotary', rows.device, rates, length, rows.dtype as FloatDType, places);
    // Positions for each batch entry stand for all of its heads.
    const at = flat.rank === 3 && rows.rank === 4 ? flat.unsqueeze(1) : flat;
    const turned = rotate(rows.slice(-1, 0, turning), sized(cos(at)), sized(sin(at)), layout);
    return turning === whole ? turned : concat([turned, rows.slice(-1, turning, whole)], { axis: -1 });
  };
  const label = `rotary(layout: '${layout}'${base === 10000 ? '' : `, base: ${base}`}${scaling ? `, scaling: '${scaling.by}'` : ''})`;
  return Object.assign(turn, { kind: 'rotary', label } as const);
}

function check({ layout, base = 10000, width, magnitude = 1 }: RotaryOptions): void {
  if (layout !== 'halves' && layout !== 'interleaved')
    throw new ValueError(
      `rotary: layout expects 'halves' (GPT-NeoX, Hugging Face's LLaMA) or 'interleaved' (the paper, GPT-J), got ${JSON.stringify(layout)}. ` +
        'Weights trained with one are wrong with the other, so there is no default.',
    );
  if (!(base > 1)) throw new ValueError(`rotary: base expects a number above 1, got ${String(base)}.`);
  if (width !== undefined && !(Number.isInteger(width) && width >= 2 && width % 2 === 0))
    throw new ValueError(`rotary: width expects an even number of at least 2, got ${String(width)}.`);
  if (!(magnitude > 0 && Number.isFinite(magnitude)))
    throw new ValueError(`rotary: magnitude expects a finite number above 0, got ${String(magnitude)}.`);
}

type Four = readonly [Expr<Scalar>, Expr<Scalar>, Expr<Scalar>, Expr<Scalar>];
const firstOf = (...[a, b, cosine, sine]: Four) => sub(mul(a, cosine), mul(b, sine));
const secondOf = (...[a, b, cosine, sine]: Four) => add(mul(a, sine), mul(b, cosine));

function rotate(rows: Tensor, cosines: Tensor, sines: Tensor, layout: RotaryOptions['layout']): Tensor {
  const width = rows.shape.at(-1) as number;
  const [a, b] =
    layout === 'halves'
      ? [rows.slice(-1, 0, width / 2), rows.slice(-1, width / 2, width)]
      : [rows.slice(-1, 0, width, 2), rows.slice(-1, 1, width, 2)];
  const [c, s] = [cast(cosines, rows.dtype), cast(sines, rows.dtype)];
  const first = elementwise('rotary', firstOf, [a, b, c, s]);
  const second = elementwise('rotary', secondOf, [a, b, c, s]);
  return layout === 'halves'
    ? concat([first, second], { axis: -1 })
    : stack([first, second], { axis: -1 }).reshape(rows.shape);
}
