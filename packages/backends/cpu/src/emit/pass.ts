// One pass over a row: a formula of its elements, folded.

import { type Cursor, load } from './access.ts';
import { FLUSH, type Fold } from './fold.ts';
import type { Body } from './kernel.ts';
import { alongAxis, type Stretch } from './lanes.ts';
import type { Lanes, Simd } from './simd.ts';
import type { Local } from './wasm/index.ts';

/** The elements under cursors, by the names of their tensors. */
export const elementsAt = (
  { s, left }: Stretch,
  cursors: ReadonlyMap<string, Cursor>,
): (readonly [string, () => Lanes])[] =>
  [...cursors].map(([name, cursor]) => [name, () => load(s, cursor, left)] as const);

/** Ascending ints: 0, 1, 2, 3 in the first vector, 4 to 7 in the second. */
function ascending(s: Simd, from: Lanes): Lanes {
  return Array.from({ length: s.group }, (_, i) =>
    s.vector(s.op('i32x4.add', from, s.ints([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3])), 0),
  );
}

/**
 * Folds `count` elements under the cursors, which end behind them; `position` is that of the first, and ends behind the last.
 */
export function foldRow(
  body: Body,
  group: number,
  fold: Fold,
  count: Local<'i32'>,
  cursors: ReadonlyMap<string, Cursor>,
  position: Local<'i32'>,
  value: (at: Stretch) => Lanes,
): void {
  const { code } = body;
  const block = FLUSH * group * 4;
  const left = code.let('i32', count);
  code.block((end) => {
    code.loop((again) => {
      code.branchIf(end, code.op('i32.lt_s', left, 1));
      const now = code.let(
        'i32',
        code.select('i32', code.get(left), code.i32(block), code.op('i32.lt_s', left, block)),
      );
      alongAxis(body, group, now, [...cursors.values()], (at) => {
        const { s } = at;
        const mask = at.left ? s.op('i32x4.lt_s', s.ints([0, 1, 2, 3]), s.splatInt(at.left)) : null;
        const first = fold.positions
          ? s.splatInt(code.let('i32', code.op('i32.add', position, at.index)))
          : null;
        fold.take(s, { value: value(at), position: first && ascending(s, first), mask });
      });
      fold.flush();
      code.set(position, code.op('i32.add', position, now));
      code.set(left, code.op('i32.sub', left, now));
      code.branch(again);
    });
  });
}
