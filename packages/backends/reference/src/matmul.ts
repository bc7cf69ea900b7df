// out[b..., i, j] = epilogue(sum over k of a[b..., i, k] * b[b..., k, j])

import { scalar } from '@heed/expr';
import type { MatmulProgram } from '@heed/tensor';
import {
  checkFormula,
  checkStored,
  checkType,
  elements,
  feedCells,
  feedElements,
  feedNumbers,
  namesOf,
  prepare,
  uniformNames,
} from './formula.ts';
import { type Interpret, readAll } from './interpreter.ts';
import { product } from './strided.ts';

export const interpretMatmul: Interpret<MatmulProgram> = (program) => {
  const where = 'matmul';
  const { rank, inputs, uniforms, epilogue, dtype } = program;
  const factors = { a: program.a, b: program.b };
  namesOf(where, elements(factors), elements(inputs));
  checkFormula(
    `${where}: epilogue`,
    epilogue,
    namesOf(where, { product: scalar }, elements(inputs), uniformNames(uniforms)),
  );
  checkType(`${where}: epilogue`, epilogue, scalar);
  checkStored(`${where}: epilogue`, epilogue, dtype);
  return {
    signature: { where, inputs: { ...inputs, ...factors }, uniforms, sizes: [], outputs: { out: dtype } },
    run(operands) {
      const { shape: left } = operands.input('a');
      operands.input('a').expectRank(rank + 2, '[batch..., rows, inner]');
      operands.output('out').expectRank(rank + 2, '[batch..., rows, columns]');
      const batch = left.slice(0, rank);
      const [rows, inner] = [left[rank]!, left[rank + 1]!];
      const columns = operands.output('out').shape[rank + 1]!;
      const whole = [...batch, rows, columns];
      operands.input('b').expectShape([...batch, inner, columns], '[batch..., inner, columns]');
      operands.output('out').expectShape(whole, '[batch..., rows, columns]');
      for (const name of Object.keys(inputs))
        operands.input(name).expectShape(whole, '[batch..., rows, columns]');
      const [a, b] = [operands.input('a').read(), operands.input('b').read()];
      const out = new Float64Array(product(batch) * rows * columns);
      const last = prepare(where, [epilogue]);
      const total = new Float64Array(1);
      feedCells(last, { product: total });
      feedNumbers(last, operands.uniforms);
      const moveTo = feedElements(last, readAll(operands, Object.keys(inputs)));
      for (let at = 0; at < out.length; at++) {
        const column = at % columns;
        const row = Math.floor(at / columns);
        const from = Math.floor(row / rows) * inner * columns + column;
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a[row * inner + k]! * b[from + k * columns]!;
        total[0] = sum;
        moveTo(at);
        last.run();
        out[at] = last.number();
      }
      operands.output('out').write(out);
    },
  };
};
