// The micro-kernel of contexts: O^T[feature][8 queries] += sum over keys of V[key][feature] P[key][8 queries].

import type { KernelWriter } from '../kernel.ts';
import type { Callee, Code, Local } from '../wasm/index.ts';
import { LINE } from './layout.ts';

/**
 * accumulate(values, step, rows, weights, context, decay): row j of the values begins at values + j * step. What the
 * context holds is first multiplied by the 8 numbers at `decay`, unless that is 0.
 */
export const writeAccumulate = (writer: KernelWriter, width: number): Callee =>
  writer.helper(`accumulate ${width}`, (module) => {
    const { tileRows } = writer.machine;
    const tiles = Math.ceil(width / tileRows);
    const [base, larger] = tiles === 0 ? [0, 0] : [Math.floor(width / tiles), width % tiles];
    const takes = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
    return module.function(
      undefined,
      takes,
      undefined,
      (code, values, step, rows, weights, context, decay) => {
        const params = { values, step, rows, weights, context, decay };
        if (larger > 0) writeTiles(writer, code, params, base + 1, larger);
        if (base > 0 && tiles > larger) writeTiles(writer, code, params, base, tiles - larger);
      },
    );
  });

interface Params {
  readonly values: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly rows: Local<'i32'>;
  readonly weights: Local<'i32'>;
  readonly context: Local<'i32'>;
  readonly decay: Local<'i32'>;
}

/** sum += a * b */
function writeAdd(
  code: Code,
  relaxed: boolean,
  a: Local<'v128'>,
  b: Local<'v128'>,
  sum: Local<'v128'>,
): void {
  code.set(
    sum,
    relaxed
      ? code.op('f32x4.relaxed_madd', a, b, sum)
      : code.op('f32x4.add', code.op('f32x4.mul', a, b), sum),
  );
}

/** `count` tiles of `features` features each; values and context end behind them. */
function writeTiles(
  { machine: { relaxed } }: KernelWriter,
  code: Code,
  { values, step, rows, weights, context, decay }: Params,
  features: number,
  count: number,
): void {
  const tile = Array.from({ length: features }, () => [code.local('v128'), code.local('v128')] as const);
  const [left, right, broadcast] = [code.local('v128'), code.local('v128'), code.local('v128')];
  const [at, from, end] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const tiles = code.let('i32', count);
  const add = (to: Local<'v128'>, by: Local<'v128'>): void => writeAdd(code, relaxed, broadcast, by, to);
  code.set(end, code.op('i32.add', code.op('i32.mul', rows, LINE), weights));
  code.loop((next) => {
    for (const [f, [low, high]] of tile.entries()) {
      code.set(low, code.load('v128.load', context, f * LINE));
      code.set(high, code.load('v128.load', context, f * LINE + 16));
    }
    code.if(decay, () => {
      code.set(left, code.load('v128.load', decay));
      code.set(right, code.load('v128.load', decay, 16));
      for (const [low, high] of tile) {
        code.set(low, code.op('f32x4.mul', low, left));
        code.set(high, code.op('f32x4.mul', high, right));
      }
    });
    code.set(at, weights);
    code.set(from, values);
    code.loop((again) => {
      code.set(left, code.load('v128.load', at));
      code.set(right, code.load('v128.load', at, 16));
      for (const [f, [low, high]] of tile.entries()) {
        code.set(broadcast, code.load('v128.load32_splat', from, f * 4));
        add(low, left);
        add(high, right);
      }
      code.set(from, code.op('i32.add', from, step));
      code.branchIf(again, code.op('i32.lt_u', code.tee(at, code.op('i32.add', at, LINE)), end));
    });
    for (const [f, [low, high]] of tile.entries()) {
      code.access('v128.store', f * LINE, context, low);
      code.access('v128.store', f * LINE + 16, context, high);
    }
    code.set(context, code.op('i32.add', context, features * LINE));
    code.set(values, code.op('i32.add', values, features * 4));
    code.branchIf(next, code.tee(tiles, code.op('i32.sub', tiles, 1)));
  });
}

/**
 * guarded(values, step, rows, weights, allowed, context): the same where rows of values may hold NaN or infinities that
 * only some of the queries may see. Slow; the context was multiplied by its decay before.
 */
export const writeGuarded = (writer: KernelWriter, width: number): Callee =>
  writer.helper(`guarded ${width}`, (module) => {
    const takes = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
    return module.function(
      undefined,
      takes,
      undefined,
      (code, values, step, rows, weights, allowed, context) => {
        if (width === 0) return;
        const { relaxed } = writer.machine;
        code.loop((next) => {
          const to = code.let('i32', context);
          const from = code.let('i32', values);
          const left = code.let('i32', width);
          code.loop((again) => {
            const value = code.let('v128', code.load('v128.load32_splat', from));
            for (const offset of [0, 16]) {
              // What a query may not see is zero for it.
              const mask = code.let('v128', code.load('v128.load', allowed, offset));
              const seen = code.let('v128', code.op('v128.and', value, mask));
              const weight = code.let('v128', code.load('v128.load', weights, offset));
              const sum = code.let('v128', code.load('v128.load', to, offset));
              writeAdd(code, relaxed, seen, weight, sum);
              code.access('v128.store', offset, to, sum);
            }
            code.set(to, code.op('i32.add', to, LINE));
            code.set(from, code.op('i32.add', from, 4));
            code.branchIf(again, code.tee(left, code.op('i32.sub', left, 1)));
          });
          code.set(values, code.op('i32.add', values, step));
          code.set(weights, code.op('i32.add', weights, LINE));
          code.set(allowed, code.op('i32.add', allowed, LINE));
          code.branchIf(next, code.tee(rows, code.op('i32.sub', rows, 1)));
        });
      },
    );
  });
