// The micro-kernel of gradients of key rows: out[key][feature] += sum over queries of W[key][query] X[query][feature].
//
// As in the other micro-kernels the vectors of a tile's columns meet one broadcast at a time, which stands right before its
// products. Here lanes are features, and the weights of 8 queries lie side by side for each key.

import { BLOCK, LINE, PADDING } from '../attend/layout.ts';
import type { KernelWriter } from '../kernel.ts';
import { tileColumns } from '../machine.ts';
import type { Callee, Code, Local } from '../wasm/index.ts';

/** The bytes of a tile of weights: [key][8 queries]. */
export const TILE = (BLOCK + PADDING) * LINE;

interface Params {
  readonly weights: Local<'i32'>;
  readonly tiles: Local<'i32'>;
  readonly from: Local<'i32'>;
  readonly out: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly rows: Local<'i32'>;
  readonly spare: Local<'i32'>;
}

/**
 * outer(weights, tiles, from, out, step, rows, spare): `tiles` tiles of weights lie TILE bytes apart; rows of queries,
 * 8 for each tile, lie side by side at `from`; row j of the result begins at out + j * step. What rows behind the last
 * would get goes to `spare`, which has room for 16 numbers.
 */
export const writeOuter = (writer: KernelWriter, width: number): Callee =>
  writer.helper(`outer ${width}`, (module) => {
    const takes = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
    return module.function(
      undefined,
      takes,
      undefined,
      (code, weights, tiles, from, out, step, rows, spare) => {
        const params = { weights, tiles, from, out, step, rows, spare };
        const columns = tileColumns(writer.machine);
        const [whole, rest] = [Math.floor(width / columns), width % columns];
        const panels = code.let('i32', whole);
        if (whole > 0) {
          code.loop((again) => {
            writePanel(writer, code, params, width, columns);
            code.set(from, code.op('i32.add', from, columns * 4));
            code.set(out, code.op('i32.add', out, columns * 4));
            code.branchIf(again, code.tee(panels, code.op('i32.sub', panels, 1)));
          });
        }
        if (rest > 0) writePanel(writer, code, params, width, rest);
      },
    );
  });

/** So many columns of the result, up to those of the tile. */
function writePanel(writer: KernelWriter, code: Code, params: Params, width: number, columns: number): void {
  const { weights, tiles, from, out, step, rows, spare } = params;
  const { tileRows, relaxed } = writer.machine;
  const vectors = (): readonly Local<'v128'>[] =>
    Array.from({ length: Math.ceil(columns / 4) }, () => code.local('v128'));
  const tile = Array.from({ length: tileRows }, vectors);
  const places = Array.from({ length: tileRows }, () => code.local('i32'));
  const [features, broadcast] = [vectors(), code.local('v128')];
  const [at, row, end] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const [first, to, rest] = [code.let('i32', weights), code.let('i32', out), code.let('i32', rows)];
  const add = (sum: Local<'v128'>, by: Local<'v128'>): void =>
    code.set(
      sum,
      relaxed
        ? code.op('f32x4.relaxed_madd', broadcast, by, sum)
        : code.op('f32x4.add', code.op('f32x4.mul', broadcast, by), sum),
    );
  code.loop((next) => {
    places.forEach((place, r) => {
      code.set(place, to);
      code.set(to, code.op('i32.add', to, step));
      if (r === 0) return;
      code.set(place, code.select('i32', code.get(place), code.get(spare), code.op('i32.gt_s', rest, r)));
    });
    for (const [r, sums] of tile.entries())
      for (const [i, sum] of sums.entries())
        code.set(sum, code.load('v128.load', places[r] as Local<'i32'>, 16 * i));
    code.set(at, first);
    code.set(row, from);
    code.set(end, code.op('i32.add', code.op('i32.mul', tiles, TILE), first));
    code.loop((again) => {
      for (let lane = 0; lane < 8; lane++) {
        for (const [i, by] of features.entries())
          code.set(by, code.load('v128.load', row, lane * width * 4 + 16 * i));
        for (const [r, sums] of tile.entries()) {
          code.set(broadcast, code.load('v128.load32_splat', at, r * LINE + lane * 4));
          for (const [i, sum] of sums.entries()) add(sum, features[i] as Local<'v128'>);
        }
      }
      code.set(row, code.op('i32.add', row, width * LINE));
      code.branchIf(again, code.op('i32.lt_u', code.tee(at, code.op('i32.add', at, TILE)), end));
    });
    for (const [r, sums] of tile.entries())
      for (const [i, sum] of sums.entries())
        storeSome(code, places[r] as Local<'i32'>, 16 * i, sum, Math.min(columns - 4 * i, 4));
    code.set(first, code.op('i32.add', first, tileRows * LINE));
    code.branchIf(next, code.op('i32.gt_s', code.tee(rest, code.op('i32.sub', rest, tileRows)), 0));
  });
}

/** Stores the first lanes of a vector; what lies behind may belong to another row. */
function storeSome(code: Code, to: Local<'i32'>, offset: number, vector: Local<'v128'>, lanes: number): void {
  if (lanes === 4) {
    code.access('v128.store', offset, to, vector);
    return;
  }
  if (lanes >= 2) code.memoryLane('v128.store64_lane', offset, 0, to, vector);
  if (lanes !== 2)
    code.memoryLane('v128.store32_lane', offset + (lanes === 3 ? 8 : 0), lanes - 1, to, vector);
}
