// out[i...] = finish(reduce over j... of body(inputs[i..., j...]))

import { index, scalar } from '@heed/expr';
import { BackendError, type ReduceProgram } from '@heed/tensor';
import { folds } from './fold.ts';
import {
  checkFormula,
  checkStored,
  checkType,
  elements,
  feedCells,
  feedElements,
  feedNumbers,
  namesOf,
  places,
  prepare,
  uniformNames,
} from './formula.ts';
import { type Interpret, readAll } from './interpreter.ts';
import { product } from './strided.ts';

export const interpretReduce: Interpret<ReduceProgram> = (program) => {
  const where = 'reduce';
  const { rank, reduced, inputs, uniforms, body, by, finish, dtype } = program;
  const tensors = elements(inputs);
  const total = by === 'argmax' || by === 'argmin' ? index : scalar;
  namesOf(where, tensors, uniformNames(uniforms), { total }, places('count'));
  checkFormula(`${where}: body`, body, namesOf(where, tensors, uniformNames(uniforms)));
  checkType(`${where}: body`, body, scalar);
  checkFormula(
    `${where}: finish`,
    finish,
    namesOf(where, uniformNames(uniforms), { total }, places('count')),
  );
  checkStored(`${where}: finish`, finish, dtype);
  const names = Object.keys(inputs);
  if (names.length === 0)
    throw new BackendError(`reference: ${where}: expected an input to reduce, got none.`);
  return {
    signature: { where, inputs, uniforms, sizes: [], outputs: { out: dtype } },
    run(operands) {
      const { shape } = operands.input(names[0]!);
      for (const name of names) {
        operands.input(name).expectRank(rank + reduced, 'the axes that stay and those reduced');
        operands.input(name).expectShape(shape, 'the shape of the first input');
      }
      operands.output('out').expectShape(shape.slice(0, rank), 'the axes that stay');
      const count = product(shape.slice(rank));
      const out = new Float64Array(product(shape.slice(0, rank)));
      const one = prepare(where, [body]);
      const last = prepare(where, [finish]);
      const folded = new Float64Array(1);
      feedNumbers(last, { ...operands.uniforms, count });
      feedCells(last, { total: folded });
      feedNumbers(one, operands.uniforms);
      const moveTo = feedElements(one, readAll(operands, names));
      for (let i = 0; i < out.length; i++) {
        const fold = folds[by]();
        for (let j = 0; j < count; j++) {
          moveTo(i * count + j);
          one.run();
          fold.take(one.number());
        }
        folded[0] = fold.total;
        last.run();
        out[i] = last.number();
      }
      operands.output('out').write(out);
    },
  };
};
