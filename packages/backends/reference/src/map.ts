// out[i...] = body(inputs[i...])

import { BackendError, type MapProgram } from '@heed/tensor';
import {
  checkFormula,
  checkStored,
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
import { product, rowMajor } from './strided.ts';

export const interpretMap: Interpret<MapProgram> = ({ rank, inputs, uniforms, results }) => {
  const where = 'map';
  const axes = Array.from({ length: rank }, (_, axis) => `axis${axis}`);
  const names = namesOf(where, elements(inputs), uniformNames(uniforms), places(...axes));
  const outputs = Object.keys(results);
  if (outputs.length === 0)
    throw new BackendError(`reference: ${where}: expected at least one result, got none.`);
  for (const [name, { body, dtype }] of Object.entries(results)) {
    checkFormula(`${where}: result "${name}"`, body, names);
    checkStored(`${where}: result "${name}"`, body, dtype);
  }
  const bodies = Object.values(results).map(({ body }) => body);
  return {
    signature: {
      where,
      inputs,
      uniforms,
      sizes: [],
      outputs: Object.fromEntries(outputs.map((name) => [name, results[name]!.dtype])),
    },
    run(operands) {
      const { shape } = operands.output(outputs[0]!);
      operands.output(outputs[0]!).expectRank(rank, 'as many axes as the program has');
      for (const name of outputs) operands.output(name).expectShape(shape, 'the shape of the first result');
      for (const name of Object.keys(inputs))
        operands.input(name).expectShape(shape, 'the shape of the results');
      const count = product(shape);
      const ready = prepare(where, bodies);
      const moveTo = feedElements(ready, readAll(operands, Object.keys(inputs)));
      feedNumbers(ready, operands.uniforms);
      const steps = rowMajor(shape);
      const coordinates = axes.map(() => new Float64Array(1));
      feedCells(ready, Object.fromEntries(axes.map((name, axis) => [name, coordinates[axis]!])));
      const found = outputs.map(() => new Float64Array(count));
      for (let i = 0; i < count; i++) {
        moveTo(i);
        for (let axis = 0; axis < rank; axis++) {
          coordinates[axis]![0] = Math.floor(i / steps[axis]!) % shape[axis]!;
        }
        ready.run();
        for (let result = 0; result < found.length; result++) found[result]![i] = ready.number(result);
      }
      outputs.forEach((name, result) => {
        operands.output(name).write(found[result]!);
      });
    },
  };
};
