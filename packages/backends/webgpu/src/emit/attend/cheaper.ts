// The score with cheaper arithmetic: rows that it reads are computed ahead into scratch memory, and for each tile of rows
// or keys whether the guards hold there.

import { asNode, type Expr, type Hoisted, sizeOf } from '@heed/expr';
import { type AttendProgram, type Axis, axisNames, lengthNames } from '@heed/tensor';
import { ExpressionWriter } from '../expression.ts';
import { float } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import type { Dispatch } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { store } from '../storage.ts';
import { product } from '../walk.ts';
import { readsOf } from './formulas.ts';
import { numbersOf, type Operand, operandClass, read, sumOf, term } from './operand.ts';
import { indexIn } from './output.ts';
import { keysOf, rowsOf, type TileShape } from './shape.ts';
import { PairSource } from './source.ts';

export interface Cheapened {
  readonly score: Expr;
  /** Operands that hold one float for each tile along queries or keys: nonzero where the guard holds in all of it. */
  readonly guards: readonly Operand[];
}

/** What a cheaper score needs before it: its rows as operands, its guards, and the dispatches that compute both. */
export interface CheaperPlan {
  readonly cheaper: Cheapened;
  readonly rows: Readonly<Record<string, Operand>>;
  readonly dispatches: readonly Dispatch[];
  /** Floats of the scratch memory `cheaper`. */
  readonly floats: number;
}

const INVOCATIONS = 64;
const TENSOR = 'scratch:cheaper';

/** Null where the program has no cheaper score, or one that a table guards. */
export function planCheaper(
  program: AttendProgram,
  operands: Readonly<Record<string, Operand>>,
  machine: Machine,
  sizes: Readonly<Record<string, number>>,
  shape: TileShape,
): CheaperPlan | null {
  const { cheaper } = program;
  const score = cheaper?.roots.score;
  if (!cheaper || !score || cheaper.guards.some(({ input }) => operands[input]?.type.lookups !== 0))
    return null;
  const length = (axis: Axis): number => sizes[lengthNames[axis]] as number;
  let floats = 0;
  const take = (
    name: string,
    along: readonly Axis[],
    shapeOf: readonly number[],
    type: Operand['type'],
  ): Operand => {
    const strides = shapeOf.map((_, axis) => product(shapeOf.slice(axis + 1)));
    const layout = { shape: shapeOf, strides, offset: floats };
    floats += product(shapeOf);
    return { name, tensor: TENSOR, type, dtype: 'float32', along, layout, computed: true };
  };
  const dispatches: Dispatch[] = [];
  const rows: Record<string, Operand> = {};
  for (const row of cheaper.rows) {
    const along = row.along as readonly Axis[];
    const { type } = asNode(row.body);
    const dims = type.dims.map((dim) => sizeOf(dim, program.sizes) as number);
    const operand = take(row.name, along, [...along.map(length), ...dims], type);
    rows[row.name] = operand;
    const count = product(operand.layout.shape);
    const given = Object.values(operands).filter(({ name }) => readsOf(row.body).has(name));
    dispatches.push({
      key: `row ${row.name} ${[operand, ...given].map(operandClass).join(' ')}`,
      emit: () =>
        emitRow(
          program,
          machine,
          row,
          operand,
          dims,
          Object.fromEntries(given.map((one) => [one.name, one])),
        ),
      groups: Math.ceil(count / INVOCATIONS),
      numbers: { ...numbersOf([operand, ...given]), ...sizesOf(operand), count },
    });
  }
  const guards = cheaper.guards.map(({ input, limit }): Operand => {
    const operand = operands[input] as Operand;
    const tiles = operand.along.map((axis) =>
      axis === 'query'
        ? Math.ceil(length(axis) / rowsOf(shape))
        : axis === 'key'
          ? Math.ceil(length(axis) / keysOf(shape))
          : length(axis),
    );
    const guard = take(`guard ${input}`, operand.along, tiles, { element: 'float', dims: [], lookups: 0 });
    dispatches.push({
      key: `guard ${input} ${limit} ${rowsOf(shape)} ${keysOf(shape)} ${[guard, operand].map(operandClass).join(' ')}`,
      emit: () => emitGuard(program, machine, operand, guard, limit, shape),
      groups: product(tiles),
      numbers: { ...numbersOf([guard, operand]), ...sizesOf(guard), count: product(tiles) },
    });
    return guard;
  });
  return {
    cheaper: { score, guards },
    rows,
    dispatches: dispatches.filter(({ groups }) => groups > 0),
    floats,
  };
}

const sizesOf = ({ layout }: Operand): Record<string, number> =>
  Object.fromEntries(layout.shape.map((size, axis) => [`size${axis}`, size]));

/** The coordinates of a flat index, row-major. */
function coordinates(shader: ShaderWriter, flat: string, rank: number): string[] {
  const { code } = shader;
  const at: string[] = [];
  let rest = flat;
  for (let axis = rank - 1; axis > 0; axis--) {
    const size = shader.number(`size${axis}`);
    const next = code.let('rest', `${rest} / ${size}`);
    at.unshift(code.let('at', `${rest} - ${next} * ${size}`));
    rest = next;
  }
  return rank === 0 ? [] : [rest, ...at];
}

/** One number an invocation. */
function emitRow(
  program: AttendProgram,
  machine: Machine,
  { body, along }: Hoisted,
  operand: Operand,
  dims: readonly number[],
  operands: Readonly<Record<string, Operand>>,
) {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const flat = code.let('flat', `group * ${INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('count')}`, () => {
    const at = coordinates(shader, flat, along.length + dims.length);
    const place = Object.fromEntries(
      axisNames.map((axis) => [axis, along.includes(axis) ? (at[along.indexOf(axis)] as string) : '0']),
    ) as Record<Axis, string>;
    const { batch, head, query, key } = place;
    const keyHead = along.includes('keyHead')
      ? place.keyHead
      : code.let('key_head', `${head} * ${shader.length('keyHeads')} / ${shader.length('heads')}`);
    const source = new PairSource({
      shader,
      code,
      width: 1,
      sizes: program.sizes,
      uniforms: program.uniforms,
      operands,
      rows: { batch, keyHead, head: [head], query: [query], readHead: [head], readQuery: [query] },
    });
    source.moveTo({ key, readKey: key });
    const writer = new ExpressionWriter({ shader, code, width: 1, sizes: program.sizes }, source);
    const [value] = writer.part(asNode(body), at.slice(along.length));
    store(shader, code, TENSOR, 'float32', code.let('out', indexIn(shader, operand, at)), value as string);
  });
  return shader.finish(INVOCATIONS);
}

/** One tile a workgroup: whether every number of it is within the limit, and none NaN. */
function emitGuard(
  program: AttendProgram,
  machine: Machine,
  operand: Operand,
  guard: Operand,
  limit: number,
  shape: TileShape,
) {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { along, type } = operand;
  code.if(`group >= ${shader.number('count')}`, () => code.line('return;'));
  const beyond = shader.workgroup('beyond', 'atomic<u32>', 1);
  code.if('lid == 0', () => code.line(`atomicStore(&${beyond}[0], 0u);`));
  code.barrier();
  const at = coordinates(shader, 'group', along.length);
  const tiled = along.findIndex((axis) => axis === 'query' || axis === 'key');
  const axis = tiled < 0 ? null : (along[tiled] as 'query' | 'key');
  const dims = type.dims.map((dim) => sizeOf(dim, program.sizes) as number);
  const width = product(dims);
  const size = axis === null ? 1 : axis === 'query' ? rowsOf(shape) : keysOf(shape);
  const first = axis === null ? '0' : code.let('first', `${at[tiled]} * ${size}`);
  const count =
    axis === null ? '1' : code.let('count', `min(${size}, ${shader.length(lengthNames[axis])} - ${first})`);
  const base = code.let(
    'base',
    indexIn(
      shader,
      operand,
      at.map((one, i) => (i === tiled ? first : one)),
    ),
  );
  code.for(
    'n',
    'lid',
    `${count} * ${width}`,
    (n) => {
      const row = code.let('row', `${n} / ${width}`);
      let rest = code.let('rest', `${n} - ${row} * ${width}`);
      const places: string[] = [];
      for (let dim = dims.length - 1; dim >= 0; dim--) {
        places.unshift(dim === 0 ? rest : code.let('place', `${rest} % ${dims[dim]}`));
        rest = dim === 0 ? rest : code.let('rest', `${rest} / ${dims[dim]}`);
      }
      const index = sumOf([
        base,
        tiled < 0 ? null : term(shader, operand, tiled, row),
        ...places.map((place, i) => term(shader, operand, along.length + i, place)),
      ]);
      const bits = code.let('bits', `bitcast<u32>(${read(shader, operand, index)}) & 0x7fffffffu`);
      // The bits of floats without a sign are in the order of the floats, and NaN comes last.
      code.if(`${bits} > bitcast<u32>(${float(limit)})`, () => code.line(`atomicStore(&${beyond}[0], 1u);`));
    },
    INVOCATIONS,
  );
  code.barrier();
  code.if('lid == 0', () => {
    const holds = `select(1.0, 0.0, atomicLoad(&${beyond}[0]) != 0u)`;
    store(shader, code, TENSOR, 'float32', code.let('out', indexIn(shader, guard, at)), holds);
  });
  return shader.finish(INVOCATIONS);
}
