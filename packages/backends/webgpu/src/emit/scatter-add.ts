// scatter-add: an invocation owns a range of the table's entries in one column, and goes through all indices of the column in
// their order, adding what falls into its range. So every element has one writer, and its sum one order.

import { dtypes, type ScatterAddProgram } from '@heed/tensor';
import { raiseFault } from './fault.ts';
import type { Layout, Planner, Shader } from './plan.ts';
import { ShaderWriter } from './shader.ts';
import { load, store } from './storage.ts';
import { numbersOf, product, Walker, walkOver } from './walk.ts';

const INVOCATIONS = 64;
/** Invocations that keep a device busy: more would read the same indices again for nothing. */
const BUSY = 4096;

export const planScatterAdd: Planner<ScatterAddProgram> = (program, layouts, machine) => {
  const { outer, dtype } = program;
  const [source, out] = [layouts.source, layouts['out:out']] as [Layout, Layout];
  const columns = walkOver(source.shape.toSpliced(outer, 1), {});
  const count = product(columns.shape);
  const entries = out.shape[outer] as number;
  // An element of few bits would be rounded after every term: it is summed in a register, by an invocation of its own.
  const range = dtypes[dtype].bytes < 4 ? 1 : Math.ceil(entries / Math.ceil(BUSY / Math.max(1, count)));
  const ranges = range === 0 ? 0 : Math.ceil(entries / range);
  const total = count * Math.max(1, ranges);
  const length = source.shape[outer] as number;
  return {
    dispatches:
      count * length === 0
        ? []
        : [
            {
              key: range === 1 ? 'entry' : 'range',
              emit: () => emitScatterAdd(program, columns.shape, range === 1, new ShaderWriter(machine)),
              groups: Math.ceil(total / INVOCATIONS),
              numbers: { ...numbersOf(columns), total, range, count },
            },
          ],
    scratch: {},
    notes: [`each invocation goes through ${length} indices for ${range} of ${entries} entries`],
    work: {
      operations: count * length,
      bytes: count * length * (4 + dtypes[dtype].bytes) + 2 * count * entries * dtypes[dtype].bytes,
    },
  };
};

function emitScatterAdd(
  { outer, dtype }: ScatterAddProgram,
  columns: readonly number[],
  single: boolean,
  shader: ShaderWriter,
): Shader {
  const { code } = shader;
  const flat = code.let('flat', `group * ${INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('total')}`, () => {
    // Neighbouring invocations have neighbouring columns, which mostly are neighbours in memory.
    const part = code.let('part', `${flat} / ${shader.number('count')}`);
    const column = code.let('column', `${flat} - ${part} * ${shader.number('count')}`);
    const at = new Walker(shader, code, walkOver(columns, {}), column).at;
    const place = (tensor: string, entry: string): string =>
      code.let(
        'index',
        [
          shader.offset(tensor),
          ...at.toSpliced(outer, 0, entry).map((one, axis) => `${one} * ${shader.stride(tensor, axis)}`),
        ].join(' + '),
      );
    const elementOf = (entry: string): string =>
      at
        .toSpliced(outer, 0, entry)
        .reduce(
          (all, one, axis) => (axis === 0 ? one : `(${all}) * ${shader.size('source', axis)} + ${one}`),
          '0',
        );
    const size = shader.size('out:out', outer);
    const low = code.let('low', `${part} * ${shader.number('range')}`);
    const high = code.let('high', `min(${low} + ${shader.number('range')}, ${size})`);
    const target = (entry: string): { index: string; value: string } => {
      const index = place('out:out', entry);
      return { index, value: load(shader, 'out:out', dtype, index, { written: true }) };
    };
    const sum = single ? code.var('sum', dtypes[dtype].element === 'int' ? '0' : '0.0') : '';
    if (single) code.if(`${low} < ${size}`, () => code.set(sum, target(low).value));
    code.for('m', '0', shader.size('source', outer), (m) => {
      const named = code.let('named', load(shader, 'index', 'int32', place('index', m)));
      code.if(
        `${named} >= ${low} && ${named} < ${high}`,
        () => {
          const term = load(shader, 'source', dtype, place('source', m));
          if (single) {
            code.set(sum, `${sum} + ${term}`);
            return;
          }
          const { index, value } = target(named);
          store(shader, code, 'out:out', dtype, index, `${value} + ${term}`);
        },
        () =>
          code.if(`${part} == 0 && (${named} < 0 || ${named} >= ${size})`, () =>
            raiseFault(shader, code, 'scatter-add', { index: named, size, element: elementOf(m) }),
          ),
      );
    });
    if (single) {
      code.if(`${low} < ${size}`, () => store(shader, code, 'out:out', dtype, target(low).index, sum));
    }
  });
  return shader.finish(INVOCATIONS);
}
