// Gradients of tables: what a pair gives goes to the entry that its indices name. The tile's numbers and where they go pass
// through workgroup memory, and every entry has one invocation that adds to it, in the order of the pairs.

import type { Node } from '@heed/expr';
import type { PairKernel } from '../attend/kernel.ts';
import { sumOf, term } from '../attend/operand.ts';
import { invocationsOf, keysOf, rowsOf } from '../attend/shape.ts';
import { laneOf } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import type { Changes } from './backward.ts';
import { type Part, SHAPE } from './design.ts';
import { eachElement, eachOf, prepare } from './elements.ts';
import type { Frame, Summation } from './frame.ts';

const INVOCATIONS = invocationsOf(SHAPE);
/** Cells of four pairs in a tile. */
const CELLS = (rowsOf(SHAPE) * keysOf(SHAPE)) / 4;

/** The destination must be parts: they are added to in place. */
export function sumTable(frame: Frame): Summation {
  const { shader, options } = frame;
  const { code } = shader;
  const { target, destination } = options;
  const { byQuery, byKey, dims, width } = target;
  const { operand } = destination;
  const { lookups } = operand.type;
  const places = shader.workgroup('places', 'vec4<i32>', CELLS, 16);
  const numbers = shader.workgroup('numbers', 'vec4<f32>', CELLS, 16);
  const free = options.machine.workgroupBytes - 2 * CELLS * 16 - 64;
  const stageCells = Math.min(640, Math.floor(free / 16));
  const memory = shader.binding(operand.tensor, 'write', 'f32');
  const sizeOf = (i: number): string => shader.size(`out:${target.name}`, operand.along.length + i);
  const entries = Array.from({ length: lookups }, (_, i) => sizeOf(i)).join(' * ');

  // Zeros for all rows and keys of the workgroup.
  const [rows, keys] = [byQuery ? rowsOf(SHAPE) : 1, byKey ? keysOf(SHAPE) : 1];
  const each = code.let('each', `${entries} * ${width}`);
  code.for(
    'i',
    'lid',
    `${each} * ${rows * keys}`,
    (i) => {
      const own = code.let('own', `${i} / ${each}`);
      const query = code.let('query', `${frame.firstRow} + ${own} / ${keys}`);
      const key = code.let('key', `${frame.firstKey} + ${own} % ${keys}`);
      code.if(
        [byQuery ? frame.isRow(query) : 'true', byKey ? frame.isKey(key) : 'true'].join(' && '),
        // Entries of a place lie side by side.
        () => code.set(`${memory}[${frame.start({ query, key })} + ${i} - ${own} * ${each}]`, '0.0'),
      );
    },
    INVOCATIONS,
  );
  code.line('storageBarrier();');

  /** The first element of the entry of every pair; -1 where there is none. */
  const write = (
    kernel: PairKernel,
    changes: Changes,
    indices: readonly Node[],
    firstKey: string | null,
  ): void => {
    const { writer, down, across } = kernel;
    const at = indices.map((node) => writer.part(node, []));
    // Keys of a sink's pairs are none, and a table along keys has no part in it.
    const key = `(vec4<i32>(${firstKey ?? '0'} + ${across} * 4) + vec4<i32>(0, 1, 2, 3))`;
    for (let g = 0; g < SHAPE.group; g++) {
      const own = at.map((lanes) => laneOf(lanes, g));
      const tests = own.map(
        (index, i) => `(${index} >= vec4<i32>(0)) & (${index} < vec4<i32>(${sizeOf(i)}))`,
      );
      const inside = code.let('inside', [changes.counted[g], ...tests].join(' & '));
      const start = frame.start({ query: kernel.rows.query[g] as string, key });
      const terms = own.map((index, i) => term(shader, operand, operand.along.length + i, index));
      const place = code.let('place', sumOf(['vec4<i32>(0)', start, ...terms]));
      code.set(
        `${places}[(${down} * ${SHAPE.group} + ${g}) * ${SHAPE.across} + ${across}]`,
        `select(vec4<i32>(-1), ${place}, ${inside})`,
      );
    }
  };

  /** Every invocation adds what goes to its entries. */
  const scatter = (element: string): void => {
    code.for('cell', '0', String(CELLS), (cell) => {
      const place = code.let('place', `${places}[${cell}]`);
      const owner = code.let('owner', `(${place} / vec4<i32>(${width})) % vec4<i32>(${INVOCATIONS})`);
      const mine = code.let('mine', `(${place} >= vec4<i32>(0)) & (${owner} == vec4<i32>(lid))`);
      code.if(`any(${mine})`, () => {
        const number = code.let('number', `${numbers}[${cell}]`);
        for (const lane of ['x', 'y', 'z', 'w']) {
          const to = `${memory}[${place}.${lane}${element === '0' ? '' : ` + ${element}`}]`;
          code.if(`${mine}.${lane}`, () => code.line(`${to} += ${number}.${lane};`));
        }
      });
    });
  };

  const addPart = (kernel: PairKernel, changes: Changes, part: Part, firstKey: string | null): void => {
    const { writer, stage, down, across } = kernel;
    const gives = eachOf([part], changes, code.let.bind(code));
    stage.claim(0);
    write(kernel, changes, part.indices, firstKey);
    const loops = dims.length > 0;
    const one = (element: string, lanes: Lanes): void => {
      lanes.forEach((number, g) => {
        code.set(`${numbers}[(${down} * ${SHAPE.group} + ${g}) * ${SHAPE.across} + ${across}]`, number);
      });
      stage.barrier();
      scatter(element);
      stage.use();
      if (loops) stage.barrier();
    };
    // Numbers of different elements take turns in the same memory.
    const { staging } = writer;
    writer.staging = false;
    eachElement(frame, writer, [part], (element, at) => one(element, gives(writer, at)));
    writer.staging = staging;
    stage.use();
  };

  const add = (kernel: PairKernel, changes: Changes, firstKey: string | null): void => {
    const parts = firstKey === null ? target.sink : target.pair;
    prepare(kernel.writer, parts);
    for (const part of parts) addPart(kernel, changes, part, firstKey);
  };
  return { stageCells, add, finish: () => {} };
}
