// Reductions along the last axis, one after the other, then results for each element or each row.

import { type Expr, scalar } from '@heed/expr';
import { BackendError, type RowProgram } from '@heed/tensor';
import { folds } from './fold.ts';
import {
  checkFormula,
  checkStored,
  checkType,
  elements,
  feedCells,
  feedElements,
  feedNumbers,
  type Names,
  namesOf,
  places,
  prepare,
  uniformNames,
} from './formula.ts';
import { type Interpret, readAll } from './interpreter.ts';
import { product } from './strided.ts';

export const interpretRow: Interpret<RowProgram> = (program) => {
  const where = 'row';
  const { rank, inputs, uniforms, reductions, results } = program;
  const names = Object.keys(inputs);
  if (names.length === 0)
    throw new BackendError(`reference: ${where}: expected at least one input, got none.`);
  let known: Names = namesOf(where, uniformNames(uniforms), places('length'));
  const all = (): Names => namesOf(where, elements(inputs), known);
  for (const { name, body } of reductions) {
    checkFormula(`${where}: reduction "${name}"`, body, all());
    checkType(`${where}: reduction "${name}"`, body, scalar);
    known = namesOf(where, known, { [name]: scalar });
  }
  for (const [name, { per, body, dtype }] of Object.entries(results)) {
    checkFormula(`${where}: result "${name}"`, body, per === 'row' ? known : all());
    checkStored(`${where}: result "${name}"`, body, dtype);
  }
  return {
    signature: {
      where,
      inputs,
      uniforms,
      sizes: [],
      outputs: Object.fromEntries(Object.entries(results).map(([name, { dtype }]) => [name, dtype])),
    },
    run(operands) {
      const { shape } = operands.input(names[0]!);
      for (const name of names) {
        operands.input(name).expectRank(rank + 1, '[rows..., length]');
        operands.input(name).expectShape(shape, 'the shape of the first input');
      }
      for (const [name, { per }] of Object.entries(results)) {
        operands
          .output(name)
          .expectShape(per === 'row' ? shape.slice(0, rank) : shape, `one number per ${per}`);
      }
      const rows = product(shape.slice(0, rank));
      const length = shape[rank] as number;
      const tensors = readAll(operands, names);
      const totals = Object.fromEntries(reductions.map(({ name }) => [name, new Float64Array(1)]));
      const ready = (body: Expr): ((element: number) => number) => {
        const one = prepare(where, [body]);
        feedNumbers(one, { ...operands.uniforms, length });
        feedCells(one, totals);
        const moveTo = feedElements(one, tensors);
        return (element) => {
          moveTo(element);
          one.run();
          return one.number();
        };
      };
      const steps = reductions.map(({ name, by, body }) => ({ total: totals[name]!, by, at: ready(body) }));
      const outs = Object.entries(results).map(([name, { per, body }]) => ({
        name,
        at: ready(body),
        width: per === 'row' ? 1 : length,
        all: new Float64Array(rows * (per === 'row' ? 1 : length)),
      }));
      for (let row = 0; row < rows; row++) {
        for (const { total, by, at } of steps) {
          const fold = folds[by]();
          for (let k = 0; k < length; k++) fold.take(at(row * length + k));
          total[0] = fold.total;
        }
        for (const { at, width, all } of outs) {
          for (let k = 0; k < width; k++) all[row * width + k] = at(row * length + k);
        }
      }
      for (const { name, all } of outs) operands.output(name).write(all);
    },
  };
};
