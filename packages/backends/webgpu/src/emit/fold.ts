// Reductions of numbers, by one invocation or by all of a workgroup.

import type { Reduction } from '@heed/tensor';
import { maximum, minimum } from './math/extreme.ts';
import { infinity, isNan } from './math/special.ts';
import type { Code, ShaderWriter, WgslFunction } from './shader.ts';

/** Who reduces: so many invocations of a workgroup together, each beginning at its `lane`. */
export interface Team {
  /** 1, or a power of two: all invocations of the workgroup. */
  readonly size: number;
  readonly lane: string;
}

/** A number, and where argmax and argmin found it. */
export interface Found {
  readonly value: string;
  readonly at: string;
}

export const isPosition = (by: Reduction): by is 'argmax' | 'argmin' => by === 'argmax' || by === 'argmin';

/** Whether a number at a position beats the best so far, whose position is -1 while there is none. NaN beats all. */
const wins = (by: 'argmax' | 'argmin'): WgslFunction => ({
  name: `${by}_wins`,
  needs: [isNan(1)],
  code: `fn ${by}_wins(value: f32, at: i32, best: f32, best_at: i32) -> bool {
  if (at < 0 || best_at < 0) { return at >= 0; }
  let odd = ${isNan(1).name}(value);
  if (odd != ${isNan(1).name}(best)) { return odd; }
  if (odd || value == best) { return at < best_at; }
  return value ${by === 'argmax' ? '>' : '<'} best;
}`,
});

const join = (shader: ShaderWriter, by: 'sum' | 'max' | 'min', a: string, b: string): string => {
  if (by === 'sum') return `${a} + ${b}`;
  return `${shader.use((by === 'max' ? maximum : minimum)(1))}(${a}, ${b})`;
};

/**
 * Writes the reduction of `length` numbers; `at` is where argmax and argmin found it. Within a team every lane gets the
 * result, and all of the workgroup must come here together.
 */
export function fold(
  shader: ShaderWriter,
  code: Code,
  team: Team,
  by: Reduction,
  length: string,
  number: (at: string) => Found,
): Found {
  const first = {
    sum: '0.0',
    max: `-${shader.use(infinity(1))}()`,
    min: `${shader.use(infinity(1))}()`,
    argmax: '0.0',
    argmin: '0.0',
  }[by];
  const best: Found = {
    value: code.var('best', first, 'f32'),
    at: isPosition(by) ? code.var('where', '-1', 'i32') : '0',
  };
  const take = (from: Found, to: Found): void => {
    if (!isPosition(by)) {
      code.set(to.value, join(shader, by, to.value, from.value));
      return;
    }
    code.if(`${shader.use(wins(by))}(${from.value}, ${from.at}, ${to.value}, ${to.at})`, () => {
      code.set(to.value, from.value);
      code.set(to.at, from.at);
    });
  };
  code.for('i', team.lane, length, (at) => take(number(at), best), team.size);
  if (team.size === 1) return best;
  const values = shader.workgroup('folded', 'f32', team.size);
  const places = isPosition(by) ? shader.workgroup('found', 'i32', team.size) : undefined;
  const held = (at: string): Found => ({ value: `${values}[${at}]`, at: places ? `${places}[${at}]` : '0' });
  const mine = held(team.lane);
  code.set(mine.value, best.value);
  if (places) code.set(mine.at, best.at);
  code.barrier();
  for (let half = team.size / 2; half >= 1; half /= 2) {
    code.if(`${team.lane} < ${half}`, () => take(held(`${team.lane} + ${half}`), mine));
    code.barrier();
  }
  return { value: code.let('total', held('0').value), at: places ? code.let('where', held('0').at) : '0' };
}
