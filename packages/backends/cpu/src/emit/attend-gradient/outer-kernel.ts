// The micro-kernel of gradients of key rows: out[key][feature] += sum over queries of W[key][query] X[query][feature].
//
// As in the other micro-kernels two vectors meet one broadcast at a time, which stands right before its products. Here
// lanes are features, and the weights of 8 queries lie side by side for each key.

import { BLOCK, LINE, PADDING } from '../attend/layout.ts';
import type { KernelWriter } from '../kernel.ts';
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
 * would get goes to `spare`, which has room for 8 numbers.
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
        const panels = code.let('i32', width >> 3);
        if (width >> 3 > 0) {
          code.loop((again) => {
            writePanel(writer, code, params, width, 8);
            code.set(from, code.op('i32.add', from, 32));
            code.set(out, code.op('i32.add', out, 32));
            code.branchIf(again, code.tee(panels, code.op('i32.sub', panels, 1)));
          });
        }
        if (width % 8 > 0) writePanel(writer, code, params, width, width % 8);
      },
    );
  });

/** Up to 8 columns of the result. */
function writePanel(writer: KernelWriter, code: Code, params: Params, width: number, columns: number): void {
  const { weights, tiles, from, out, step, rows, spare } = params;
  const { tileRows, relaxed } = writer.machine;
  const tile = Array.from({ length: tileRows }, () => [code.local('v128'), code.local('v128')] as const);
  const places = Array.from({ length: tileRows }, () => code.local('i32'));
  const [left, right, broadcast] = [code.local('v128'), code.local('v128'), code.local('v128')];
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
    tile.forEach(([low, high], r) => {
      code.set(low, code.load('v128.load', places[r] as Local<'i32'>));
      if (columns > 4) code.set(high, code.load('v128.load', places[r] as Local<'i32'>, 16));
    });
    code.set(at, first);
    code.set(row, from);
    code.set(end, code.op('i32.add', code.op('i32.mul', tiles, TILE), first));
    code.loop((again) => {
      for (let lane = 0; lane < 8; lane++) {
        code.set(left, code.load('v128.load', row, lane * width * 4));
        if (columns > 4) code.set(right, code.load('v128.load', row, lane * width * 4 + 16));
        for (const [r, [low, high]] of tile.entries()) {
          code.set(broadcast, code.load('v128.load32_splat', at, r * LINE + lane * 4));
          add(low, left);
          if (columns > 4) add(high, right);
        }
      }
      code.set(row, code.op('i32.add', row, width * LINE));
      code.branchIf(again, code.op('i32.lt_u', code.tee(at, code.op('i32.add', at, TILE)), end));
    });
    tile.forEach(([low, high], r) => {
      const place = places[r] as Local<'i32'>;
      storeSome(code, place, 0, low, Math.min(columns, 4));
      if (columns > 4) storeSome(code, place, 16, high, columns - 4);
    });
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
