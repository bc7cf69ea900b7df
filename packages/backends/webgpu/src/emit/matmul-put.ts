// What the shaders of matmul have in common: where a tile lies, and how an element is finished and stored.

import type { MatmulProgram } from '@heed/tensor';
import { ExpressionWriter } from './expression.ts';
import { scalars } from './scalars.ts';
import type { Code, ShaderWriter } from './shader.ts';
import { store } from './storage.ts';

/** The coordinates of a batch along the batch axes. */
export function coordinates(shader: ShaderWriter, code: Code, rank: number, batch: string): string[] {
  const at: string[] = [];
  let rest = batch;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const size = shader.size('out:out', axis);
    const next = code.let('rest', `${rest} / ${size}`);
    at.unshift(code.let('batch', `${rest} - ${next} * ${size}`));
    rest = next;
  }
  return at;
}

/** The function that finishes one element and stores it, if it lies within the result. */
export function emitPut(program: MatmulProgram, shader: ShaderWriter, rank: number): string {
  const { inputs, uniforms, epilogue, dtype } = program;
  const batches = Array.from({ length: rank }, (_, axis) => `at${axis}`);
  const at = [...batches, 'row', 'column'];
  const params = ['row: i32', 'column: i32', ...batches.map((one) => `${one}: i32`), 'product: f32'];
  return shader.function('put', params, (code) => {
    const inside = `row < ${shader.size('out:out', program.rank)} && column < ${shader.size('out:out', program.rank + 1)}`;
    code.if(inside, () => {
      const index = (tensor: string): string =>
        code.let(
          'index',
          [shader.offset(tensor), ...at.map((one, axis) => `${one} * ${shader.stride(tensor, axis)}`)].join(
            ' + ',
          ),
        );
      const source = scalars(shader, code, { inputs, uniforms, index, known: { product: 'product' } });
      const [value] = new ExpressionWriter({ shader, code, width: 1, sizes: {} }, source).write(epilogue);
      store(shader, code, 'out:out', dtype, index('out:out'), value?.[0] as string);
    });
  });
}
