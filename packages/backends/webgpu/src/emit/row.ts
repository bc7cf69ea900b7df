// row: reductions along the last axis one after the other, then results along it, by a workgroup or an invocation a row.

import { dtypes, type RowProgram } from '@heed/tensor';
import { ExpressionWriter } from './expression.ts';
import { fold } from './fold.ts';
import type { Planner, Shader } from './plan.ts';
import { eachRow, groupsOf, invocationsOf, once, teamFor } from './reduce.ts';
import { scalars } from './scalars.ts';
import { ShaderWriter } from './shader.ts';
import { store } from './storage.ts';
import { classOf, collapse, numbersOf, part, product, type Walk, Walker, walkOver } from './walk.ts';

export const planRow: Planner<RowProgram> = (program, layouts, machine) => {
  const { rank, inputs, reductions, results } = program;
  const shape = layouts[Object.keys(inputs)[0] as string]?.shape as readonly number[];
  const walk = walkOver(shape, layouts);
  const outer = collapse(part(walk, 0, rank));
  // A result of a row has no last axis, and takes no part in the walk along it.
  const along = Object.fromEntries(
    Object.entries(layouts).filter(([, { strides }]) => strides.length > rank),
  );
  const inner = part(walkOver(shape, along), rank);
  const [rows, length] = [product(shape.slice(0, rank)), shape[rank] as number];
  const team = teamFor(length, machine.invocations);
  const read = Object.values(inputs).reduce((sum, dtype) => sum + dtypes[dtype].bytes, 0);
  const written = Object.values(results).reduce(
    (sum, { dtype, per }) => sum + dtypes[dtype].bytes * (per === 'row' ? 1 : length),
    0,
  );
  return {
    dispatches:
      rows === 0
        ? []
        : [
            {
              key: `${team};${classOf(outer)};${classOf(inner)}`,
              emit: () => emitRow(program, outer, inner, new ShaderWriter(machine), team),
              groups: groupsOf(rows, team),
              numbers: { ...numbersOf(outer, 'o'), ...numbersOf(inner, 'i'), rows, length },
            },
          ],
    scratch: {},
    notes: [],
    work: {
      operations: rows * length * (reductions.length + Object.keys(results).length),
      bytes: rows * (length * read * (reductions.length + 1) + written),
    },
  };
};

function emitRow(
  { inputs, uniforms, reductions, results }: RowProgram,
  outer: Walk,
  inner: Walk,
  shader: ShaderWriter,
  size: number,
): Shader {
  const { code } = shader;
  eachRow(shader, size, (row, team) => {
    const walker = new Walker(shader, code, outer, row, 'o');
    const starts = new Map<string, string>();
    for (const name of [...Object.keys(inputs), ...Object.keys(results).map((one) => `out:${one}`)])
      starts.set(name, walker.index(name));
    const length = shader.number('length');
    const known: Record<string, string> = { length };
    const writerAt = (at: string): { writer: ExpressionWriter; index: (name: string) => string } => {
      const along = new Walker(shader, code, inner, at, 'i');
      const index = (name: string): string => along.index(name, starts.get(name));
      const source = scalars(shader, code, { inputs, uniforms, index, known });
      return { writer: new ExpressionWriter({ shader, code, width: 1, sizes: {} }, source), index };
    };
    for (const { name, by, body } of reductions) {
      const { value } = fold(shader, code, team, by, length, (at) => ({
        value: writerAt(at).writer.write(body)[0]?.[0] as string,
        at,
      }));
      known[name] = value;
    }
    const all = Object.entries(results);
    code.for(
      'i',
      team.lane,
      length,
      (at) => {
        const { writer, index } = writerAt(at);
        for (const [name, { body, dtype, per }] of all) {
          if (per === 'row') continue;
          const [value] = writer.write(body);
          store(shader, code, `out:${name}`, dtype, index(`out:${name}`), value?.[0] as string);
        }
      },
      team.size,
    );
    once(code, team, () => {
      const { writer } = writerAt('0');
      for (const [name, { body, dtype, per }] of all) {
        if (per === 'element') continue;
        const [value] = writer.write(body);
        store(shader, code, `out:${name}`, dtype, starts.get(`out:${name}`) as string, value?.[0] as string);
      }
    });
  });
  return shader.finish(invocationsOf(size));
}
