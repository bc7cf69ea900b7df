// gather: one invocation an element.

import { dtypes, type GatherProgram } from '@heed/tensor';
import { raiseFault } from './fault.ts';
import type { Layout, Planner } from './plan.ts';
import { ShaderWriter } from './shader.ts';
import { load, store } from './storage.ts';
import { product, Walker, walkOver } from './walk.ts';

const INVOCATIONS = 64;

export const planGather: Planner<GatherProgram> = (program, layouts, machine) => {
  const out = layouts['out:out'] as Layout;
  const total = product(out.shape);
  return {
    dispatches:
      total === 0
        ? []
        : [
            {
              key: '',
              emit: () => emitGather(program, layouts, new ShaderWriter(machine)),
              groups: Math.ceil(total / INVOCATIONS),
              numbers: { total, ...sizesOf(out) },
            },
          ],
    scratch: {},
    notes: [],
    work: { operations: total, bytes: total * (4 + 2 * dtypes[program.dtype].bytes) },
  };
};

const sizesOf = ({ shape }: Layout): Record<string, number> =>
  Object.fromEntries(shape.map((size, axis) => [`size${axis}`, size]));

function emitGather(
  { outer, dtype }: GatherProgram,
  layouts: Readonly<Record<string, Layout>>,
  shader: ShaderWriter,
) {
  const { code } = shader;
  const flat = code.let('flat', `group * ${INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('total')}`, () => {
    const { shape } = layouts['out:out'] as Layout;
    const walker = new Walker(shader, code, walkOver(shape, {}), flat);
    const place = (tensor: string, at: readonly string[]): string =>
      code.let(
        'index',
        [shader.offset(tensor), ...at.map((one, axis) => `${one} * ${shader.stride(tensor, axis)}`)].join(
          ' + ',
        ),
      );
    const named = code.let('named', load(shader, 'index', 'int32', place('index', walker.at)));
    const size = shader.size('data', outer);
    const value = code.var(
      'value',
      dtypes[dtype].element === 'float' ? '0.0' : dtypes[dtype].element === 'int' ? '0' : 'false',
    );
    code.if(
      `${named} >= 0 && ${named} < ${size}`,
      () => code.set(value, load(shader, 'data', dtype, place('data', walker.at.with(outer, named)))),
      () => raiseFault(shader, code, 'gather', { index: named, size, element: flat }),
    );
    store(shader, code, 'out:out', dtype, place('out:out', walker.at), value);
  });
  return shader.finish(INVOCATIONS);
}
