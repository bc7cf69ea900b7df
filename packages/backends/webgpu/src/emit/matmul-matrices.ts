// matmul of 16-bit floats by subgroup matrices: both factors pass through workgroup memory as they are stored, in steps
// along k, and the tile's sums strip by strip to the epilogue.

import type { MatmulProgram } from '@heed/tensor';
import type { Machine } from './machine.ts';
import { coordinates, emitPut } from './matmul-put.ts';
import {
  describeMatrix,
  fillPanel,
  MatrixSums,
  type MatrixTiling,
  panelBytes,
  panelOf,
  stripRows,
  tilingOf,
} from './matrices.ts';
import type { Dispatch, Layout, Shader } from './plan.ts';
import { ShaderWriter } from './shader.ts';
import { loadHalf, loadHalf4 } from './storage.ts';
import { product } from './walk.ts';

const INVOCATIONS = 128;
/** Elements of k in workgroup memory at a time. */
const STEP = 32;
/** Enough workgroups to fill a device are worth more than large tiles. */
const FILLING = 128;

interface Tile {
  readonly size: number;
  readonly tiling: MatrixTiling;
}

/** How a factor is read: its neighbours in memory, and whether four at a time. */
interface Way {
  readonly inner: 'outer' | 'depth';
  readonly fours: boolean;
}

/** Floats from one row of a strip to the next: whole fours. */
const pitchOf = (size: number): number => size + 4;

function tileOf(machine: Machine, size: number): Tile | null {
  const tiling = tilingOf(machine, { rows: size, columns: size }, INVOCATIONS);
  if (!tiling || machine.invocations < INVOCATIONS) return null;
  const panel = (['outer', 'depth'] as const).map((inner) =>
    panelBytes({ outers: size, depths: STEP, inner }),
  );
  const bytes = 2 * Math.max(...panel) + stripRows(tiling) * pitchOf(size) * 4;
  return bytes <= machine.workgroupBytes ? { size, tiling } : null;
}

function wayOf({ shape, strides, offset }: Layout, rank: number, depthAxis: number): Way {
  const outerAxis = depthAxis === rank ? rank + 1 : rank;
  const inner = strides[outerAxis] === 1 && strides[depthAxis] !== 1 ? 'outer' : 'depth';
  const axis = inner === 'outer' ? outerAxis : depthAxis;
  const fours =
    strides[axis] === 1 &&
    (shape[axis] as number) % 4 === 0 &&
    offset % 4 === 0 &&
    strides.every((stride, at) => at === axis || stride % 4 === 0);
  return { inner, fours };
}

/** The dispatch of a product that is worth matrices, with a note; null where it is none, or the machine has none. */
export function planMatrixMatmul(
  program: MatmulProgram,
  { a, b, out }: { readonly a: Layout; readonly b: Layout; readonly out: Layout },
  machine: Machine,
): { readonly dispatch: Dispatch; readonly note: string } | null {
  const { rank } = program;
  if (program.a !== 'float16' || program.b !== 'float16') return null;
  const [m, n] = out.shape.slice(rank) as [number, number];
  const k = a.shape[rank + 1] as number;
  const batches = product(out.shape.slice(0, rank));
  const groupsOf = (size: number): number => Math.ceil(m / size) * Math.ceil(n / size) * batches;
  const small = tileOf(machine, 32);
  const tile = (groupsOf(64) >= FILLING ? tileOf(machine, 64) : null) ?? small;
  // Where most of a matrix would be beyond the product's edge, it is no gain.
  if (!tile || m < tile.tiling.matrix.m || n < tile.tiling.matrix.n || k < tile.tiling.matrix.k) return null;
  const { size } = tile;
  const ways = { a: wayOf(a, rank, rank + 1), b: wayOf(b, rank, rank) };
  const groups = groupsOf(size);
  return {
    dispatch: {
      key: ['matrices', size, ...Object.values(ways).flatMap(({ inner, fours }) => [inner, fours])].join(),
      emit: () => emitMatrixMatmul(program, tile, ways, machine),
      groups,
      numbers: { groups, downs: Math.ceil(m / size), acrosses: Math.ceil(n / size), k },
    },
    note: `tiles of ${size} x ${size} by ${describeMatrix(tile.tiling)}`,
  };
}

function emitMatrixMatmul(
  program: MatmulProgram,
  { size, tiling }: Tile,
  ways: { readonly a: Way; readonly b: Way },
  machine: Machine,
): Shader {
  const { rank } = program;
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  code.if(`group >= ${shader.number('groups')}`, () => code.line('return;'));
  const panels = {
    a: panelOf(shader, 'a', { outers: size, depths: STEP, inner: ways.a.inner }),
    b: panelOf(shader, 'b', { outers: size, depths: STEP, inner: ways.b.inner }),
  };
  const pitch = pitchOf(size);
  const strip = shader.workgroup('strip', 'f32', stripRows(tiling) * pitch);

  const acrosses = shader.number('acrosses');
  const rest = code.let('rest', `group / ${acrosses}`);
  const column = code.let('column', `(group - ${rest} * ${acrosses}) * ${size}`);
  const batch = code.let('batch', `${rest} / ${shader.number('downs')}`);
  const row = code.let('row', `(${rest} - ${batch} * ${shader.number('downs')}) * ${size}`);
  const at = coordinates(shader, code, rank, batch);
  const k = shader.number('k');
  /** Brings a step of a factor to workgroup memory; zero beyond its edges. */
  const fetch = (side: 'a' | 'b', start: string, first: string, from: string): void => {
    const [outerAxis, depthAxis] = side === 'a' ? [rank, rank + 1] : [rank + 1, rank];
    const limit = shader.size('out:out', outerAxis);
    const { inner, fours } = ways[side];
    fillPanel(code, panels[side], INVOCATIONS, fours ? 4 : 1, (outerIn, depthIn) => {
      const outer = code.let('outer', `${first} + ${outerIn}`);
      const depth = code.let('depth', `${from} + ${depthIn}`);
      const value = code.var('value', fours ? 'vec4<f16>()' : 'f16()');
      // Whole fours lie inside or outside.
      code.if(`${outer} < ${limit} && ${depth} < ${k}`, () => {
        const term = (axis: number, place: string): string =>
          fours && (axis === depthAxis) === (inner === 'depth')
            ? place
            : `${place} * ${shader.stride(side, axis)}`;
        const index = code.let('index', `${start} + ${term(outerAxis, outer)} + ${term(depthAxis, depth)}`);
        code.set(value, fours ? loadHalf4(shader, side, index) : loadHalf(shader, side, index));
      });
      return value;
    });
  };
  const start = (side: 'a' | 'b'): string =>
    code.let(
      'start',
      [shader.offset(side), ...at.map((one, axis) => `${one} * ${shader.stride(side, axis)}`)].join(' + '),
    );
  const [aStart, bStart] = [start('a'), start('b')];
  const sums = new MatrixSums(shader, tiling);
  code.for(
    'from',
    '0',
    k,
    (from) => {
      fetch('a', aStart, row, from);
      fetch('b', bStart, column, from);
      code.barrier();
      sums.add(panels.a, panels.b);
      code.barrier();
    },
    STEP,
  );
  const put = emitPut(program, shader, at.length);
  sums.strips(strip, pitch, (rowOf) =>
    code.for(
      'i',
      'lid',
      String(stripRows(tiling) * size),
      (i) => {
        const down = code.let('down', `${i} / ${size}`);
        const beside = code.let('across', `${i} % ${size}`);
        const place = [`${row} + ${rowOf(down)}`, `${column} + ${beside}`];
        code.line(`${put}(${[...place, ...at, `${strip}[${down} * ${pitch} + ${beside}]`].join(', ')});`);
      },
      INVOCATIONS,
    ),
  );
  return shader.finish(INVOCATIONS);
}
