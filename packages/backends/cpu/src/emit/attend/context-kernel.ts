// The micro-kernel of contexts: O^T[feature][8 queries] += sum over keys of V[key][feature] P[key][8 queries], for one
// record of queries or two.

import type { KernelWriter } from '../kernel.ts';
import type { Callee, Code, Local } from '../wasm/index.ts';
import { LINE } from './layout.ts';

/**
 * accumulate(values, step, rows, weights..., context..., decay...): row j of the values begins at values + j * step. What
 * a context holds is first multiplied by the 8 numbers at its `decay`, unless the first of these is 0.
 */
export const writeAccumulate = (writer: KernelWriter, width: number, records: 1 | 2): Callee =>
  writer.helper(`accumulate ${width} ${records}`, (module) => {
    const { tileRows } = writer.machine;
    const tiles = Math.ceil(width / tileRows);
    const [base, larger] = tiles === 0 ? [0, 0] : [Math.floor(width / tiles), width % tiles];
    const places = Array.from({ length: 3 * records }, () => 'i32' as const);
    const takes = ['i32', 'i32', 'i32', ...places] as const;
    return module.function(undefined, takes, undefined, (code, values, step, rows, ...rest) => {
      const of = Array.from({ length: records }, (_, i): Params['records'][number] => ({
        weights: rest[i] as Local<'i32'>,
        context: rest[records + i] as Local<'i32'>,
        decay: rest[2 * records + i] as Local<'i32'>,
      }));
      const params = { values, step, rows, records: of };
      if (larger > 0) writeTiles(writer, code, params, base + 1, larger);
      if (base > 0 && tiles > larger) writeTiles(writer, code, params, base, tiles - larger);
    });
  });

interface Params {
  readonly values: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly rows: Local<'i32'>;
  readonly records: readonly {
    readonly weights: Local<'i32'>;
    readonly context: Local<'i32'>;
    readonly decay: Local<'i32'>;
  }[];
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

/** `count` tiles of `features` features each; values and contexts end behind them. */
function writeTiles(
  { machine: { relaxed } }: KernelWriter,
  code: Code,
  { values, step, rows, records }: Params,
  features: number,
  count: number,
): void {
  /** Two for each record. */
  const vectors = (): readonly Local<'v128'>[] =>
    records.flatMap(() => [code.local('v128'), code.local('v128')]);
  const tile = Array.from({ length: features }, vectors);
  const [lanes, broadcast] = [vectors(), code.local('v128')];
  const [from, end] = [code.local('i32'), code.local('i32')];
  const at = records.map(() => code.local('i32'));
  const [first, decays] = [at[0] as Local<'i32'>, (records[0] as Params['records'][number]).decay];
  const tiles = code.let('i32', count);
  /** Loads a line of each record. */
  const line = (to: readonly Local<'v128'>[], places: readonly Local<'i32'>[], offset: number): void => {
    for (const [i, vector] of to.entries())
      code.set(vector, code.load('v128.load', places[i >> 1] as Local<'i32'>, offset + 16 * (i & 1)));
  };
  const contexts = records.map(({ context }) => context);
  code.set(
    end,
    code.op('i32.add', code.op('i32.mul', rows, LINE), (records[0] as Params['records'][number]).weights),
  );
  code.loop((next) => {
    for (const [f, sums] of tile.entries()) line(sums, contexts, f * LINE);
    code.if(decays, () => {
      line(
        lanes,
        records.map(({ decay }) => decay),
        0,
      );
      for (const sums of tile)
        for (const [i, sum] of sums.entries())
          code.set(sum, code.op('f32x4.mul', sum, lanes[i] as Local<'v128'>));
    });
    for (const [i, { weights }] of records.entries()) code.set(at[i] as Local<'i32'>, weights);
    code.set(from, values);
    code.loop((again) => {
      line(lanes, at, 0);
      for (const [f, sums] of tile.entries()) {
        code.set(broadcast, code.load('v128.load32_splat', from, f * 4));
        for (const [i, sum] of sums.entries())
          writeAdd(code, relaxed, broadcast, lanes[i] as Local<'v128'>, sum);
      }
      code.set(from, code.op('i32.add', from, step));
      for (const place of at) code.set(place, code.op('i32.add', place, LINE));
      code.branchIf(again, code.op('i32.lt_u', first, end));
    });
    for (const [r, context] of contexts.entries()) {
      for (const [f, sums] of tile.entries())
        for (const half of [0, 1])
          code.access('v128.store', f * LINE + 16 * half, context, sums[2 * r + half] as Local<'v128'>);
      code.set(context, code.op('i32.add', context, features * LINE));
    }
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
