// matmul: a workgroup computes a tile of the product, an invocation a micro-tile in registers; both factors pass through
// workgroup memory in steps along k.

import { dtypes, type MatmulProgram } from '@heed/tensor';
import type { Machine } from './machine.ts';
import { planMatrixMatmul } from './matmul-matrices.ts';
import { coordinates, emitPut } from './matmul-put.ts';
import type { Layout, Planner, Shader } from './plan.ts';
import { ShaderWriter } from './shader.ts';
import { load } from './storage.ts';
import { product } from './walk.ts';

const INVOCATIONS = 64;

/** How many rows and columns an invocation computes, multiples of four, and how the invocations of a workgroup lie. */
interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly down: number;
  readonly across: number;
  /** Elements of k in workgroup memory at a time. */
  readonly step: number;
}

const large: Tile = { rows: 8, columns: 8, down: 8, across: 8, step: 16 };
const middle: Tile = { rows: 4, columns: 4, down: 8, across: 8, step: 16 };
const low: Tile = { rows: 4, columns: 4, down: 2, across: 32, step: 16 };
const narrow: Tile = { rows: 4, columns: 4, down: 64, across: 1, step: 8 };

const height = ({ rows, down }: Tile): number => rows * down;
const breadth = ({ columns, across }: Tile): number => columns * across;

/** Enough workgroups to fill a device are worth more than large tiles. */
const FILLING = 128;

function tileFor(m: number, n: number, batches: number): Tile {
  if (m <= 8 && n > 16) return low;
  if (n <= 4) return narrow;
  const groups = Math.ceil(m / height(large)) * Math.ceil(n / breadth(large)) * batches;
  return groups >= FILLING ? large : middle;
}

/** Which way a factor is read so that neighbouring invocations read neighbouring elements. */
const along = (layout: Layout, rank: number): 'first' | 'second' =>
  layout.strides[rank] === 1 && layout.strides[rank + 1] !== 1 ? 'first' : 'second';

export const planMatmul: Planner<MatmulProgram> = (program, layouts, machine) => {
  const { rank } = program;
  const [a, b, out] = [layouts.a, layouts.b, layouts['out:out']] as [Layout, Layout, Layout];
  const [m, n] = out.shape.slice(rank) as [number, number];
  const k = a.shape[rank + 1] as number;
  const batches = product(out.shape.slice(0, rank));
  const matrices = planMatrixMatmul(program, { a, b, out }, machine);
  const tile = tileFor(m, n, batches);
  const [downs, acrosses] = [Math.ceil(m / height(tile)), Math.ceil(n / breadth(tile))];
  const [aAlong, bAlong] = [along(a, rank), along(b, rank)];
  const note = `tiles of ${height(tile)} x ${breadth(tile)}, ${tile.rows} x ${tile.columns} an invocation`;
  return {
    dispatches:
      batches * m * n === 0
        ? []
        : [
            matrices?.dispatch ?? {
              key: [tile.rows, tile.columns, tile.down, aAlong, bAlong].join(),
              emit: () => emitMatmul(program, tile, aAlong, bAlong, machine),
              groups: batches * downs * acrosses,
              numbers: {
                batches,
                downs,
                acrosses,
                k,
                micro: tile.rows * tile.columns,
                step: tile.step,
                four: 4,
              },
            },
          ],
    scratch: {},
    notes: [matrices?.note ?? note],
    work: {
      operations: 2 * batches * m * n * k,
      bytes:
        batches *
        (m * k * dtypes[program.a].bytes +
          k * n * dtypes[program.b].bytes +
          m * n * dtypes[program.dtype].bytes),
    },
  };
};

function emitMatmul(
  program: MatmulProgram,
  tile: Tile,
  aAlong: 'first' | 'second',
  bAlong: 'first' | 'second',
  machine: Machine,
): Shader {
  const { rank } = program;
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const [m, n, k] = [shader.size('out:out', rank), shader.size('out:out', rank + 1), shader.number('k')];
  const { step } = tile;
  // Fours: of rows of a, of columns of b.
  const as = shader.workgroup('a', 'vec4<f32>', (step * height(tile)) / 4, 16);
  const bs = shader.workgroup('b', 'vec4<f32>', (step * breadth(tile)) / 4, 16);

  const acrosses = shader.number('acrosses');
  const rest = code.let('rest', `group / ${acrosses}`);
  const column = code.let('column', `(group - ${rest} * ${acrosses}) * ${breadth(tile)}`);
  const batch = code.let('batch', `${rest} / ${shader.number('downs')}`);
  const row = code.let('row', `(${rest} - ${batch} * ${shader.number('downs')}) * ${height(tile)}`);
  code.if(`${batch} < ${shader.number('batches')}`, () => {
    const at = coordinates(shader, code, rank, batch);
    const start = (tensor: string): string => {
      const terms = at.map((one, axis) => `${one} * ${shader.stride(tensor, axis)}`);
      return code.let('start', [shader.offset(tensor), ...terms].join(' + '));
    };
    const [aStart, bStart] = [start('a'), start('b')];
    const top = code.let('top', `(lid / ${tile.across}) * ${tile.rows}`);
    const left = code.let('left', `(lid % ${tile.across}) * ${tile.columns}`);
    const quads = tile.columns / 4;
    const sums = Array.from({ length: tile.rows * quads }, () => code.var('sum', 'vec4<f32>()'));
    /** Brings a part of a factor to workgroup memory, [step][size / 4]. */
    const fetch = (
      side: 'a' | 'b',
      {
        held,
        size,
        first,
        limit,
        way,
      }: Record<'held' | 'first' | 'limit' | 'way', string> & { size: number },
      from: string,
    ): void => {
      const [outerAxis, kAxis] = side === 'a' ? [rank, rank + 1] : [rank + 1, rank];
      // "first" and "second" name axes of the matrix; its neighbours lie along k where that is the one of stride 1.
      const alongK = (side === 'a') === (way === 'second');
      const fours = size / 4;
      code.for(
        'i',
        'lid',
        String(fours * step),
        (i) => {
          const four = code.let('four', alongK ? `${i} / ${step}` : `${i} % ${fours}`);
          const inner = code.let('inner', alongK ? `${i} % ${step}` : `${i} / ${fours}`);
          const value = code.var('value', 'vec4<f32>()');
          code.if(`${from} + ${inner} < ${k}`, () =>
            code.for('e', '0', shader.number('four'), (e) => {
              const outer = code.let('outer', `${first} + ${four} * 4 + ${e}`);
              code.if(`${outer} < ${limit}`, () => {
                const start = side === 'a' ? aStart : bStart;
                const index = `${start} + ${outer} * ${shader.stride(side, outerAxis)} + (${from} + ${inner}) * ${shader.stride(side, kAxis)}`;
                code.set(`${value}[${e}]`, load(shader, side, program[side], code.let('index', index)));
              });
            }),
          );
          code.set(`${held}[${inner} * ${fours} + ${four}]`, value);
        },
        INVOCATIONS,
      );
    };
    const [aFours, bFours] = [height(tile) / 4, breadth(tile) / 4];
    code.for(
      'from',
      '0',
      k,
      (from) => {
        fetch('a', { held: as, size: height(tile), first: row, limit: m, way: aAlong }, from);
        fetch('b', { held: bs, size: breadth(tile), first: column, limit: n, way: bAlong }, from);
        code.barrier();
        code.for('depth', '0', shader.number('step'), (depth) => {
          const right = Array.from({ length: quads }, (_, j) =>
            code.let('b', `${bs}[${depth} * ${bFours} + ${left} / 4 + ${j}]`),
          );
          for (let four = 0; four < tile.rows / 4; four++) {
            const down = code.let('a', `${as}[${depth} * ${aFours} + ${top} / 4 + ${four}]`);
            for (let e = 0; e < 4; e++) {
              for (let j = 0; j < quads; j++) {
                const sum = sums[(four * 4 + e) * quads + j] as string;
                code.set(sum, `${sum} + ${down}[${e}] * ${right[j]}`);
              }
            }
          }
        });
        code.barrier();
      },
      step,
    );
    // One call in a loop: drivers put the function where it is called, and 64 copies of it take them seconds.
    const put = emitPut(program, shader, at.length);
    const all = code.var('sums', `array<vec4<f32>, ${sums.length}>(${sums.join(', ')})`);
    code.for('i', '0', shader.number('micro'), (i) => {
      const place = [
        `${row} + ${top} + ${i} / ${tile.columns}`,
        `${column} + ${left} + ${i} % ${tile.columns}`,
      ];
      code.line(`${put}(${[...place, ...at, `${all}[${i} / 4][${i} % 4]`].join(', ')});`);
    });
  });
  return shader.finish(INVOCATIONS);
}
