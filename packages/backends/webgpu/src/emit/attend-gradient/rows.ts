// The first dispatch: what the pairs of a row share. A workgroup takes a tile of rows and goes through all keys.

import type { Expr } from '@heed/expr';
import { PairKernel } from '../attend/kernel.ts';
import { indexIn } from '../attend/output.ts';
import { leave, rowTile } from '../attend/prefill.ts';
import { Exchange, gatherRows, mapRows, type RowCells, rowVariables, setRows } from '../attend/rows.ts';
import { invocationsOf } from '../attend/shape.ts';
import type { Machine } from '../machine.ts';
import { exp } from '../math/exponential.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';
import { Backward, backwardRoots, type Given, rowIndex, rowsBinding } from './backward.ts';
import { type GradientDesign, SHAPE } from './design.ts';

const sumOf = (lanes: string): string => `dot(${lanes}, vec4<f32>(1.0))`;

/**
 * Writes level, rho and 1 / sum of exp(score - level) for each row. A float32 level of large scores is a coarse one: these
 * sums are one but for its rounding, and divided by them weights sum to one again.
 */
export function emitRows(gradient: GradientDesign, given: Given, machine: Machine): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { program, design, softmax } = gradient;
  const { sink } = program.of.normalizer;
  leave(shader);
  const tile = rowTile(shader, SHAPE, 'group');
  const free = machine.workgroupBytes - Exchange.bytes(SHAPE) - 64;
  const kernel = new PairKernel({
    shader,
    design,
    shape: SHAPE,
    tile,
    roots: backwardRoots(gradient),
    stageCells: Math.min(640, Math.floor(free / 16)),
  });
  const exchange = new Exchange(kernel);
  const backward = new Backward(kernel, gradient, given, false);
  const { writer } = kernel;

  // Sums of b and of g b; by log-sum-exp, where b is minus the weight, of the weights before they are divided.
  const sums = rowVariables(kernel, 'sum', '0.0');
  const products = rowVariables(kernel, 'product', '0.0');
  const add = (to: RowCells, lanes: readonly string[]): void => {
    const added = gatherRows(kernel, 'added', lanes.map(sumOf));
    setRows(
      kernel,
      to,
      mapRows(kernel, 'sum', [to, added], ([a, b]) => `${a} + ${b}`),
    );
  };
  kernel.sweep('0', kernel.keyLength, (pairs) => {
    const { counted, weight, g } = backward.pairs(pairs);
    const own = softmax ? weight : (backward.byLevel(pairs.scores) ?? weight.map(() => 'vec4<f32>()'));
    const among = (lanes: readonly string[]): string[] =>
      lanes.map((one, i) => code.let('among', `select(vec4<f32>(), ${one}, ${counted[i]})`));
    add(sums, among(own));
    add(products, among(own.map((one, i) => `${one} * ${g[i]}`)));
  });
  const plus = (a: string, b: string): string => `${a} + ${b}`;
  let total = exchange.combine(sums, plus);
  const weighed = exchange.combine(products, plus);
  if (sink) {
    let own: readonly string[] = [];
    const level = backward.level;
    writer.staging = false;
    writer.scoped(() => {
      const score = kernel.ofPairs(sink as Expr);
      own = (
        softmax
          ? score.map((one, g) => `${shader.use(exp(4))}(${one} - ${level[g]})`)
          : (backward.byLevel(score) ?? score.map(() => 'vec4<f32>()'))
      ).map((one) => code.let('own', `${one}.x`));
    });
    total = mapRows(kernel, 'sum', [total, gatherRows(kernel, 'own', own)], ([a, b]) => `${a} + ${b}`);
  }
  code.if(`${kernel.across} == 0`, () => {
    for (let g = 0; g < SHAPE.group; g++) {
      code.if(kernel.isRow(g), () => {
        const place = [tile.batch, kernel.rows.head[0] as string, kernel.rows.query[g] as string];
        const { levelGradient: upper } = given;
        const ahead = upper
          ? code.let(
              'ahead',
              load(shader, upper.operand.tensor, upper.dtype, indexIn(shader, upper.operand, place)),
            )
          : '0.0';
        const all = code.let('all', total.of(g));
        const none = code.let('none', `${all} == 0.0`);
        const inverse = softmax ? code.let('inverse', `select(1.0 / ${all}, 0.0, ${none})`) : '1.0';
        const rho = softmax
          ? `select(${weighed.of(g)} * ${inverse} - ${ahead}, 0.0, ${none})`
          : `select((${weighed.of(g)} + ${ahead}) / ${all}, 0.0, ${none})`;
        const row = `vec4<f32>(${backward.level[g]}, ${rho}, ${inverse}, 0.0)`;
        code.set(`${rowsBinding(shader, 'write')}[${rowIndex(shader, place)}]`, row);
      });
    }
  });
  return shader.finish(invocationsOf(SHAPE));
}
