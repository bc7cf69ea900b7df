// reduce: rows of many numbers are folded by a workgroup each, rows of few by an invocation each. Where there are few rows of
// very many numbers, pieces of them are folded first and what comes out in a second dispatch.

import { dtypes, type ReduceProgram } from '@heed/tensor';
import { ExpressionWriter } from './expression.ts';
import { type Found, fold, isPosition, type Team } from './fold.ts';
import type { Dispatch, Planner, Shader } from './plan.ts';
import { scalars } from './scalars.ts';
import { type Code, ShaderWriter } from './shader.ts';
import { store } from './storage.ts';
import { classOf, collapse, numbersOf, part, product, type Walk, Walker, walkOver } from './walk.ts';

/** Numbers from which a row is worth a whole workgroup. */
const SHARED_FROM = 32;
/** Numbers of a piece of a row that is folded in pieces, and from how many on. */
const PIECE = 16384;
const APART_FROM = 4 * PIECE;

/** Who works on rows of a length. */
export function teamFor(length: number, invocations: number): number {
  if (length < SHARED_FROM) return 1;
  return length < 512 ? 64 : Math.min(256, 2 ** Math.floor(Math.log2(invocations)));
}

/** Invocations of a workgroup whose teams are so large. */
export const invocationsOf = (team: number): number => (team === 1 ? 64 : team);

/** Writes the row that an invocation works on, guarded, and what its team is. */
export function eachRow(shader: ShaderWriter, team: number, body: (row: string, team: Team) => void): void {
  const { code } = shader;
  const row = code.let('row', team === 1 ? `group * ${invocationsOf(team)} + lid` : 'group');
  code.if(`${row} < ${shader.number('rows')}`, () =>
    body(row, { size: team, lane: team === 1 ? '0' : 'lid' }),
  );
}

export const groupsOf = (rows: number, team: number): number =>
  team === 1 ? Math.ceil(rows / invocationsOf(team)) : rows;

/** Runs once for the row. */
export function once(code: Code, team: Team, body: () => void): void {
  if (team.size === 1) body();
  else code.if('lid == 0', body);
}

export const planReduce: Planner<ReduceProgram> = (program, layouts, machine) => {
  const { rank, inputs, dtype } = program;
  const names = Object.keys(inputs);
  const shape = layouts[names[0] as string]?.shape as readonly number[];
  const whole = walkOver(shape, Object.fromEntries(names.map((name) => [name, layouts[name] as never])));
  const outer = collapse({
    ...part(whole, 0, rank),
    strides: { ...part(whole, 0, rank).strides, 'out:out': layouts['out:out']?.strides as number[] },
  });
  const inner = collapse(part(whole, rank));
  const [rows, count] = [product(shape.slice(0, rank)), product(shape.slice(rank))];
  const apart = count >= APART_FROM && rows < 64;
  const pieces = apart ? Math.ceil(count / PIECE) : 1;
  const classes = `${classOf(outer)};${classOf(inner)}`;
  const numbers = { ...numbersOf(outer, 'o'), ...numbersOf(inner, 'i'), rows, count, pieces };
  const team = teamFor(count, machine.invocations);
  const dispatches: Dispatch[] = [];
  if (rows > 0 && apart) {
    const last = teamFor(pieces, machine.invocations);
    dispatches.push(
      {
        key: `pieces;${classes}`,
        emit: () => emitPieces(program, outer, inner, new ShaderWriter(machine), team),
        groups: rows * pieces,
        numbers: { ...numbers, rows: rows * pieces },
      },
      {
        key: `join;${last};${classOf(outer)}`,
        emit: () => emitJoin(program, outer, new ShaderWriter(machine), last),
        groups: groupsOf(rows, last),
        numbers,
      },
    );
  } else if (rows > 0) {
    dispatches.push({
      key: `rows;${team};${classes}`,
      emit: () => emitRows(program, outer, inner, new ShaderWriter(machine), team),
      groups: groupsOf(rows, team),
      numbers,
    });
  }
  const read = Object.values(inputs).reduce((sum, one) => sum + dtypes[one].bytes, 0);
  return {
    dispatches,
    scratch: apart ? { values: rows * pieces * 4, places: rows * pieces * 4 } : {},
    notes: apart ? [`${rows} rows of ${count} are folded in pieces of ${PIECE}`] : [],
    work: { operations: rows * count, bytes: rows * count * read + rows * dtypes[dtype].bytes },
  };
};

/** The number of an element of a row. */
function bodyAt(
  { inputs, uniforms, body }: ReduceProgram,
  shader: ShaderWriter,
  rowOf: (tensor: string) => string,
  inner: Walk,
): (at: string) => Found {
  const { code } = shader;
  return (at) => {
    const walker = new Walker(shader, code, inner, at, 'i');
    const source = scalars(shader, code, {
      inputs,
      uniforms,
      index: (name) => walker.index(name, rowOf(name)),
      known: {},
    });
    const [value] = new ExpressionWriter({ shader, code, width: 1, sizes: {} }, source).write(body);
    return { value: value?.[0] as string, at };
  };
}

/** Stores what a row comes to. */
function finish(
  { uniforms, by, finish: root, dtype }: ReduceProgram,
  shader: ShaderWriter,
  walker: Walker,
  found: Found,
): void {
  const { code } = shader;
  const source = scalars(shader, code, {
    inputs: {},
    uniforms,
    index: () => '',
    known: { total: isPosition(by) ? found.at : found.value, count: shader.number('count') },
  });
  const [value] = new ExpressionWriter({ shader, code, width: 1, sizes: {} }, source).write(root);
  store(shader, code, 'out:out', dtype, walker.index('out:out'), value?.[0] as string);
}

function emitRows(
  program: ReduceProgram,
  outer: Walk,
  inner: Walk,
  shader: ShaderWriter,
  size: number,
): Shader {
  const { code } = shader;
  eachRow(shader, size, (row, team) => {
    const walker = new Walker(shader, code, outer, row, 'o');
    const starts = Object.fromEntries(Object.keys(program.inputs).map((name) => [name, walker.index(name)]));
    const at = bodyAt(program, shader, (name) => starts[name] as string, inner);
    const found = fold(shader, code, team, program.by, shader.number('count'), at);
    once(code, team, () => finish(program, shader, walker, found));
  });
  return shader.finish(invocationsOf(size));
}

function emitPieces(
  program: ReduceProgram,
  outer: Walk,
  inner: Walk,
  shader: ShaderWriter,
  size: number,
): Shader {
  const { code } = shader;
  eachRow(shader, size, (piece, team) => {
    const row = code.let('row', `${piece} / ${shader.number('pieces')}`);
    const from = code.let('from', `(${piece} - ${row} * ${shader.number('pieces')}) * ${PIECE}`);
    const length = code.let('length', `min(${shader.number('count')} - ${from}, ${PIECE})`);
    const walker = new Walker(shader, code, outer, row, 'o');
    const starts = Object.fromEntries(Object.keys(program.inputs).map((name) => [name, walker.index(name)]));
    const at = bodyAt(program, shader, (name) => starts[name] as string, inner);
    const found = fold(shader, code, team, program.by, length, (i) => at(code.let('at', `${from} + ${i}`)));
    once(code, team, () => {
      code.set(`${shader.binding('scratch:values', 'write', 'f32')}[${piece}]`, found.value);
      if (isPosition(program.by))
        code.set(`${shader.binding('scratch:places', 'write', 'i32')}[${piece}]`, found.at);
    });
  });
  return shader.finish(invocationsOf(size));
}

function emitJoin(program: ReduceProgram, outer: Walk, shader: ShaderWriter, size: number): Shader {
  const { code } = shader;
  eachRow(shader, size, (row, team) => {
    const pieces = shader.number('pieces');
    const found = fold(shader, code, team, program.by, pieces, (i) => {
      const at = code.let('at', `${row} * ${pieces} + ${i}`);
      return {
        value: `${shader.binding('scratch:values', 'read', 'f32')}[${at}]`,
        at: isPosition(program.by) ? `${shader.binding('scratch:places', 'read', 'i32')}[${at}]` : '0',
      };
    });
    once(code, team, () => finish(program, shader, new Walker(shader, code, outer, row, 'o'), found));
  });
  return shader.finish(invocationsOf(size));
}
