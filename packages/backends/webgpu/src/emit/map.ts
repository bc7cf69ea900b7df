// map: one invocation computes all results of an element.

import { inputsOf } from '@heed/expr';
import { dtypes, type MapProgram } from '@heed/tensor';
import { ExpressionWriter } from './expression.ts';
import type { Planner } from './plan.ts';
import { scalars } from './scalars.ts';
import { ShaderWriter } from './shader.ts';
import { store } from './storage.ts';
import { classOf, collapse, numbersOf, product, type Walk, Walker, walkOver } from './walk.ts';

const INVOCATIONS = 64;

export const planMap: Planner<MapProgram> = (program, layouts, machine) => {
  const names = [
    ...Object.keys(program.inputs),
    ...Object.keys(program.results).map((name) => `out:${name}`),
  ];
  const shape = layouts[`out:${Object.keys(program.results)[0]}`]?.shape ?? [];
  const all = Object.fromEntries(names.flatMap((name) => (layouts[name] ? [[name, layouts[name]]] : [])));
  const walk = collapse(walkOver(shape, all), placesRead(program));
  const total = product(shape);
  const stored = [
    ...Object.values(program.inputs),
    ...Object.values(program.results).map(({ dtype }) => dtype),
  ];
  return {
    dispatches:
      total === 0
        ? []
        : [
            {
              key: classOf(walk),
              emit: () => emitMap(program, walk, new ShaderWriter(machine)),
              groups: Math.ceil(total / INVOCATIONS),
              numbers: { ...numbersOf(walk), total },
            },
          ],
    scratch: {},
    notes: [],
    work: { operations: total, bytes: total * stored.reduce((sum, dtype) => sum + dtypes[dtype].bytes, 0) },
  };
};

/** The axes whose coordinates are read. */
function placesRead({ rank, results }: MapProgram): Set<number> {
  const read = new Set(inputsOf(Object.values(results).map(({ body }) => body)).map(({ data }) => data.name));
  return new Set(Array.from({ length: rank }, (_, axis) => axis).filter((axis) => read.has(`axis${axis}`)));
}

function emitMap({ inputs, uniforms, results }: MapProgram, walk: Walk, shader: ShaderWriter) {
  const { code } = shader;
  const flat = code.let('flat', `group * ${INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('total')}`, () => {
    const walker = new Walker(shader, code, walk, flat);
    const known = Object.fromEntries(
      walk.origins.map((origin, axis) => [`axis${origin}`, walker.at[axis] as string]),
    );
    const source = scalars(shader, code, {
      inputs,
      uniforms,
      index: (name) => walker.index(name),
      known,
    });
    const writer = new ExpressionWriter({ shader, code, width: 1, sizes: {} }, source);
    const values = writer.write(...Object.values(results).map(({ body }) => body));
    Object.entries(results).forEach(([name, { dtype }], i) => {
      store(shader, code, `out:${name}`, dtype, walker.index(`out:${name}`), values[i]?.[0] as string);
    });
  });
  return shader.finish(INVOCATIONS);
}
