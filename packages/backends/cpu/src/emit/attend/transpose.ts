// Rows of queries to lanes of queries and back, four by four.

import type { Lanes, Simd } from '../simd.ts';
import { LANES, LINE } from './layout.ts';
import { add, each, type Int, type Site, scaled, simd, storeLanes, subWord, type Vector } from './site.ts';

/** The addresses of 8 rows; those of lanes behind the last query are the last row's, or `otherwise`. */
export function rowsOf(site: Site, first: Int, step: Int, otherwise: Int | null): Int[] {
  const { code } = site;
  const left = subWord(site, 'left');
  const last = otherwise ?? scaled(site, first, add(site, left, -1), step);
  const at = code.let('i32', first);
  return Array.from({ length: LANES }, (_, lane) => {
    if (lane > 0) code.set(at, code.op('i32.add', at, step));
    return code.let('i32', code.select('i32', code.get(at), code.get(last), code.op('i32.gt_s', left, lane)));
  });
}

const turned = (s: Simd, [a, b, c, d]: readonly [Vector, Vector, Vector, Vector]): Lanes => {
  const low = [s.shuffle([0, 4, 1, 5], [a], [b]), s.shuffle([0, 4, 1, 5], [c], [d])] as const;
  const high = [s.shuffle([2, 6, 3, 7], [a], [b]), s.shuffle([2, 6, 3, 7], [c], [d])] as const;
  return [low, high].flatMap(([x, y]) => [
    ...s.shuffle([0, 1, 4, 5], x, y),
    ...s.shuffle([2, 3, 6, 7], x, y),
  ]);
};

type Four = readonly [Vector, Vector, Vector, Vector];

/** Packs float32 rows whose features are side by side as [feature][8]; each pair of vectors is changed on its way. */
export function writeToLanes(
  site: Site,
  rows: readonly Int[],
  width: number,
  to: Int,
  change: (lanes: Lanes) => Lanes,
): void {
  const { code } = site;
  const s = simd(site, 1);
  const pair = simd(site, 2);
  each(site, 0, width & -4, 4, () => {
    const halves = [rows.slice(0, 4), rows.slice(4)].map((four) =>
      turned(s, four.map((row) => code.let('v128', code.load('v128.load', row))) as unknown as Four),
    ) as [Lanes, Lanes];
    for (let feature = 0; feature < 4; feature++) {
      const lanes = change([halves[0][feature] as Vector, halves[1][feature] as Vector]);
      storeLanes(site, to, feature * LINE, pair.variables(lanes) as readonly Vector[]);
    }
    for (const row of rows) code.set(row, code.op('i32.add', row, 16));
    code.set(to, code.op('i32.add', to, 4 * LINE));
  });
  for (let feature = 0; feature < width % 4; feature++) {
    const lanes = [0, 1].map((half) => {
      const vector = code.let('v128', code.zero());
      rows.slice(half * 4, half * 4 + 4).forEach((row, lane) => {
        code.set(vector, code.memoryLane('v128.load32_lane', feature * 4, lane, row, vector));
      });
      return vector;
    });
    storeLanes(site, to, feature * LINE, pair.variables(change(lanes)) as readonly Vector[]);
  }
}

/** Writes lanes [feature][8] to float32 rows whose features are side by side; each pair of vectors is changed first. */
export function writeToRows(
  site: Site,
  from: Int,
  width: number,
  rows: readonly Int[],
  change: (lanes: Lanes) => Lanes,
): void {
  const { code } = site;
  const s = simd(site, 1);
  const read = (feature: number): Lanes =>
    change([0, 16].map((offset) => code.let('v128', code.load('v128.load', from, feature * LINE + offset))));
  each(site, 0, width & -4, 4, () => {
    const features = [0, 1, 2, 3].map(read);
    for (const half of [0, 1]) {
      const four = turned(s, features.map((lanes) => lanes[half] as Vector) as unknown as Four);
      four.forEach((vector, lane) => {
        code.access('v128.store', 0, rows[half * 4 + lane] as Int, vector);
      });
    }
    for (const row of rows) code.set(row, code.op('i32.add', row, 16));
    code.set(from, code.op('i32.add', from, 4 * LINE));
  });
  for (let feature = 0; feature < width % 4; feature++) {
    const lanes = read(feature);
    rows.forEach((row, lane) => {
      code.memoryLane('v128.store32_lane', feature * 4, lane % 4, row, lanes[lane >> 2] as Vector);
    });
  }
}
