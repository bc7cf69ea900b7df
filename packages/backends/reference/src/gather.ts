// out[o..., m, i...] = data[o..., index[o..., m, i...], i...], and its transpose, which adds.

import { type GatherProgram, type ScatterAddProgram, ValueError } from '@heed/tensor';
import type { Interpret } from './interpreter.ts';
import type { Operand, Operands } from './operands.ts';
import { product } from './strided.ts';

export const interpretGather: Interpret<GatherProgram> = ({ outer, inner, dtype }) => ({
  signature: {
    where: 'gather',
    inputs: { data: dtype, index: 'int32' },
    outputs: { out: dtype },
    uniforms: {},
    sizes: [],
  },
  run(operands) {
    const data = operands.input('data');
    const to = operands.output('out');
    const pick = data.pick();
    const out = new Float64Array(product(to.shape));
    eachIndex(operands, 'gather', { table: data, list: to, outer, inner }, (at, element) => {
      out[at] = pick(element);
    });
    to.write(out);
  },
});

export const interpretScatterAdd: Interpret<ScatterAddProgram> = ({ outer, inner, dtype }) => ({
  signature: {
    where: 'scatter-add',
    inputs: { source: dtype, index: 'int32' },
    outputs: { out: dtype },
    uniforms: {},
    sizes: [],
  },
  run(operands) {
    const to = operands.output('out');
    const list = operands.input('source');
    const source = list.read();
    const out = to.read();
    eachIndex(operands, 'scatter-add', { table: to, list, outer, inner }, (at, element) => {
      out[element] = out[element]! + source[at]!;
    });
    to.write(out);
  },
});

interface Indexed {
  /** [outer..., n, inner...] */
  readonly table: Operand;
  /** [outer..., m, inner...], as the index. */
  readonly list: Operand;
  readonly outer: number;
  readonly inner: number;
}

/**
 * Visits every element `at` of the list with the element of the table that its index names, both counted row-major. An
 * index outside the table is a fault and is not visited.
 */
function eachIndex(
  operands: Operands,
  where: string,
  { table, list, outer, inner }: Indexed,
  visit: (at: number, element: number) => void,
): void {
  const index = operands.input('index');
  const { shape } = index;
  index.expectRank(outer + 1 + inner, '[outer..., m, inner...]');
  table.expectRank(outer + 1 + inner, '[outer..., n, inner...]');
  list.expectShape(shape, 'the shape of "index"');
  const size = table.shape[outer]!;
  const length = shape[outer]!;
  table.expectShape(shape.with(outer, size), 'the shape of "index" but for the axis it names');
  const step = product(shape.slice(outer + 1));
  for (const [at, named] of index.read().entries()) {
    if (named >= 0 && named < size) {
      const row = Math.floor(at / (step * length));
      visit(at, (row * size + named) * step + (at % step));
      continue;
    }
    const which = `element ${at} of index [${shape.join(', ')}]`;
    operands.fault(new ValueError(`${where}: expected an index in [0, ${size}), got ${named} as ${which}.`));
  }
}
