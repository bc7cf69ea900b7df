// The first dispatch: what the pairs of a row share. A workgroup takes a tile of rows and goes through all keys.

import { PairKernel } from '../attend/kernel.ts';
import { indexIn } from '../attend/output.ts';
import { leave, rowTile } from '../attend/prefill.ts';
import { Exchange, gatherRows, mapRows, type RowCells, rowVariables, setRows } from '../attend/rows.ts';
import { invocationsOf } from '../attend/shape.ts';
import { solveRoot } from '../attend/solve.ts';
import { Vote } from '../attend/vote.ts';
import type { Lanes } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import { log } from '../math/logarithm.ts';
import { negativeInfinity } from '../math/special.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';
import { Backward, backwardRoots } from './backward.ts';
import { type GradientDesign, SHAPE } from './design.ts';
import { type Given, givenRows, type KnownRows, rowIndex, rowsBinding } from './known-rows.ts';

/** Levels below are right to 2^-19, which the scores themselves seldom are. */
const LARGE = '64.0';

/** It is seldom that levels are solved for here: a short shader is worth more than few sweeps. */
const TRIES = 2;

const sumOf = (lanes: string): string => `dot(${lanes}, vec4<f32>(1.0))`;

/**
 * Writes origin, level and rho of each row. A float32 holds a large level coarsely, and weights read off it would not sum
 * to one. By log-sum-exp the logarithm of what they do sum to is what the level lacks; large levels by root are solved for
 * again, counted from the largest score.
 */
export function emitRows(gradient: GradientDesign, given: Given, machine: Machine): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { program, design, byLogSumExp } = gradient;
  const { sink } = program.of.normalizer;
  leave(shader);
  const tile = rowTile(shader, SHAPE, 'group');
  const free = machine.workgroupBytes - Exchange.bytes(SHAPE) - 128;
  const kernel = new PairKernel({
    shader,
    design,
    shape: SHAPE,
    tile,
    roots: backwardRoots(gradient),
    stageCells: Math.min(640, Math.floor(free / 16)),
  });
  const exchange = new Exchange(kernel);
  const plain = givenRows(kernel, given);
  const known = byLogSumExp
    ? { ...plain, origin: plain.level, level: plain.rho.map(() => '0.0') }
    : gradient.relative
      ? solveLarge(kernel, exchange, plain)
      : plain;
  const backward = new Backward(kernel, gradient, given, known);
  const { writer } = kernel;

  // Sums of b and of g b.
  const sums = rowVariables(kernel, 'sum', '0.0');
  const products = rowVariables(kernel, 'product', '0.0');
  const add = (to: RowCells, lanes: Lanes): void => {
    const added = gatherRows(kernel, 'added', lanes.map(sumOf));
    setRows(
      kernel,
      to,
      mapRows(kernel, 'sum', [to, added], ([a, b]) => `${a} + ${b}`),
    );
  };
  kernel.sweep('0', kernel.keyLength, (pairs) => {
    const { counted, byLevel, g } = backward.pairs(pairs);
    const among = (lanes: Lanes): Lanes =>
      lanes.map((one, i) => code.let('among', `select(vec4<f32>(), ${one}, ${counted[i]})`));
    add(sums, among(byLevel));
    add(products, among(byLevel.map((one, i) => `${one} * ${g[i]}`)));
  });
  const plus = (a: string, b: string): string => `${a} + ${b}`;
  let total = exchange.combine(sums, plus);
  const weighed = exchange.combine(products, plus);
  if (sink) {
    let own: Lanes = [];
    writer.staging = false;
    writer.scoped(() => {
      own = backward.byLevel(kernel.ofPairs(sink)).map((one) => code.let('own', `${one}.x`));
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
        // By log-sum-exp b is minus the weight, and `all` minus what weights are to be divided by.
        const [level, rho] = byLogSumExp
          ? [`${shader.use(log(1))}(-${all})`, `${weighed.of(g)} / ${all} - ${ahead}`]
          : [known.level?.[g], `(${weighed.of(g)} + ${ahead}) / ${all}`];
        const origin = `select(${shader.use(negativeInfinity(1))}(), ${known.origin?.[g] ?? '0.0'}, ${known.alive[g]})`;
        const row = `vec4<f32>(${origin}, ${level}, select(${rho}, 0.0, ${all} == 0.0), 0.0)`;
        code.set(`${rowsBinding(shader, 'write')}[${rowIndex(shader, place)}]`, row);
      });
    }
  });
  return shader.finish(invocationsOf(SHAPE));
}

/** Rows of which one has a large level are solved for again, in a workgroup that has such a row. */
function solveLarge(kernel: PairKernel, exchange: Exchange, given: KnownRows): KnownRows {
  const { code, shader, design } = kernel;
  const { sink } = design.program.normalizer;
  const stored = given.level as Lanes;
  const [origin, level] = [
    stored.map(() => code.var('origin', '0.0', 'f32')),
    stored.map((one) => code.var('level', one)),
  ];
  const large = stored.map((one, g) => `(${given.alive[g]} && abs(${one}) > ${LARGE})`);
  code.if(new Vote(shader).any(large.join(' || ')), () => {
    const solved = solveRoot(kernel, exchange, sink && kernel.ofRows(sink), TRIES);
    stored.forEach((_, g) => {
      code.set(origin[g] as string, solved.origin?.[g] as string);
      code.set(level[g] as string, solved.level[g] as string);
    });
  });
  kernel.stage.use();
  return { ...given, origin, level };
}
