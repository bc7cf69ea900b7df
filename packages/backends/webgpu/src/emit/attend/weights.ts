// Weights on request, in a dispatch of their own: scores are computed again, and weighed by what the context's dispatches
// left of each row. So the context is the same with and without them.

import { ExpressionWriter } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import { exp } from '../math/exponential.ts';
import { isNegativeInfinity } from '../math/special.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load, store } from '../storage.ts';
import { isLiteral, readsOf } from './formulas.ts';
import { among, type Design, PairKernel } from './kernel.ts';
import { type Operand, sumOf, term } from './operand.ts';
import { indexIn, type Output } from './output.ts';
import { formulaWeights, type KnownLevel, leave, rowTile } from './prefill.ts';
import { invocationsOf, keysOf, type TileShape } from './shape.ts';
import { reweighed, splat } from './softmax.ts';
import { PairSource } from './source.ts';

export interface WeightsOptions {
  readonly design: Design;
  readonly machine: Machine;
  readonly output: Output;
  /** Two floats a row (see Outputs.stats); null where the level is by none. */
  readonly stats: Operand | null;
}

const isSoftmax = ({ program }: Design): boolean => program.normalizer.level.by === 'log-sum-exp';

/** Whole weights: a workgroup writes one tile. */
export function emitWeights({
  design,
  machine,
  output,
  stats,
  shape,
  stageCells,
}: WeightsOptions & { readonly shape: TileShape; readonly stageCells: number }): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { program } = design;
  leave(shader);
  const across = shader.number('across');
  const flat = code.let('flat', `group / ${across}`);
  const first = code.let('first', `(group - ${flat} * ${across}) * ${keysOf(shape)}`);
  const tile = rowTile(shader, shape, flat);
  const softmax = isSoftmax(design);
  const kernel = new PairKernel({
    shader,
    design,
    shape,
    tile,
    roots: [program.reweight, ...(softmax ? [] : [program.normalizer.weight])],
    stageCells,
  });
  const { rows } = kernel;
  const stat = (g: number, i: number): string => {
    const at = [tile.batch, rows.readHead[0] as string, rows.readQuery[g] as string];
    const operand = stats as Operand;
    const index = indexIn(shader, operand, at);
    return code.let('stat', load(shader, operand.tensor, operand.dtype, `${index} + ${i}`));
  };
  const known = stats && {
    origin: rows.query.map((_, g) => stat(g, 0)),
    level: rows.query.map((_, g) => stat(g, 1)),
  };
  const type = shape.width === 1 ? 'f32' : 'vec4<f32>';
  const write = (key: string, values: Lanes): void => {
    values.forEach((value, g) => {
      code.if(kernel.isRow(g), () => {
        const row = [tile.batch, rows.head[0] as string, rows.query[g] as string];
        const start = code.let('row', indexIn(shader, output.operand, row));
        (shape.width === 1 ? [''] : ['.x', '.y', '.z', '.w']).forEach((lane) => {
          code.if(`${key}${lane} < ${kernel.keyLength}`, () => {
            const index = code.let('at', sumOf([start, term(shader, output.operand, 3, `${key}${lane}`)]));
            store(shader, code, output.operand.tensor, output.dtype, index, `${value}${lane}`);
          });
        });
      });
    });
  };
  kernel.tileAt(
    first,
    kernel.keyLength,
    ({ key, scores, allowed }) => {
      const weights = softmax
        ? softmaxWeights(shader, scores, known as KnownLevel, shape.width)
        : formulaWeights(kernel, scores, known);
      const shown = reweighed(kernel, weights).map((weight, g) => {
        const full = known ? ` & ${splatBool(isFull(known.origin[g] as string), shape.width)}` : '';
        return code.let('weight', `select(${type}(), ${weight}, ${allowed[g]}${full})`);
      });
      write(key, shown);
    },
    () => {
      const start = `${first} + ${kernel.across}${shape.width === 1 ? '' : ' * 4'}`;
      const key = code.let('key', shape.width === 1 ? start : `vec4<i32>(${start}) + vec4<i32>(0, 1, 2, 3)`);
      write(key, Array<string>(shape.group).fill(`${type}()`));
    },
  );
  return shader.finish(invocationsOf(shape));
}

/** Whether a row is not empty, by what its scores are counted from. */
const isFull = (origin: string): string => `!${isNegativeInfinity(origin)}`;

const splatBool = (value: string, width: 1 | 4): string =>
  width === 1 ? `(${value})` : `vec4<bool>(${value})`;

/** exp(score - maximum) / sum, from what the sweep left: nearer than by the level, which is rounded. */
function softmaxWeights(
  shader: ShaderWriter,
  scores: Lanes,
  { origin: maximum, level: sum }: KnownLevel,
  width: 1 | 4,
): Lanes {
  const of = shader.use(exp(width));
  return scores.map((score, g) => shader.code.let('weight', `${of}(${score} - ${maximum?.[g]}) / ${sum[g]}`));
}

/** Invocations of a workgroup over pooled cells. */
export const POOL_INVOCATIONS = 64;

/** Pooled weights: an invocation sums the pairs of one block, query by query, and divides by how many queries there are. */
export function emitPooled({
  design,
  machine,
  output,
  stats,
  pool,
}: WeightsOptions & { readonly pool: number }): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { program, operands } = design;
  const { normalizer, reweight } = program;
  const softmax = isSoftmax(design);
  const roots = [program.score, program.mask, reweight, ...(softmax ? [] : [normalizer.weight])];
  const used = among(operands, readsOf(...roots));
  const flat = code.let('flat', `group * ${POOL_INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('cells')}`, () => {
    const [across, down] = [shader.number('across'), shader.number('down')];
    const [heads, keyHeads] = [shader.length('heads'), shader.length('keyHeads')];
    const line = code.let('line', `${flat} / ${across}`);
    const keyBlock = code.let('key_block', `${flat} - ${line} * ${across}`);
    const matrix = code.let('matrix', `${line} / ${down}`);
    const queryBlock = code.let('query_block', `${line} - ${matrix} * ${down}`);
    const batch = code.let('batch', `${matrix} / ${heads}`);
    const head = code.let('head', `${matrix} - ${batch} * ${heads}`);
    const keyHead = code.let('key_head', `${head} * ${keyHeads} / ${heads}`);
    const firstQuery = code.let('first_query', `${queryBlock} * ${pool}`);
    const endQuery = code.let('end_query', `min(${firstQuery} + ${pool}, ${shader.length('queryLength')})`);
    const firstKey = code.let('first_key', `${keyBlock} * ${pool}`);
    const endKey = code.let('end_key', `min(${firstKey} + ${pool}, ${shader.length('keyLength')})`);
    const total = code.var('total', '0.0', 'f32');
    code.for('query', firstQuery, endQuery, (query) => {
      const known = stats && {
        at: code.let('stats', indexIn(shader, stats, [batch, head, query])),
        operand: stats,
      };
      const stat = (i: number): string =>
        known ? load(shader, known.operand.tensor, known.operand.dtype, `${known.at} + ${i}`) : '';
      const [origin, level] = known
        ? [code.let('origin', stat(0)), code.let('level', stat(1))]
        : [null, null];
      const sum = (): void => {
        const rows = { batch, keyHead, head: [head], query: [query], readHead: [head], readQuery: [query] };
        const source = new PairSource({
          shader,
          code,
          width: 4,
          sizes: program.sizes,
          uniforms: program.uniforms,
          operands: used,
          rows,
        });
        code.for(
          'key',
          firstKey,
          endKey,
          (start) => {
            const writer = new ExpressionWriter({ shader, code, width: 4, sizes: program.sizes }, source);
            const key = code.let('key', `vec4<i32>(${start}) + vec4<i32>(0, 1, 2, 3)`);
            source.moveTo({ key, readKey: code.let('read_key', `min(${key}, vec4<i32>(${endKey} - 1))`) });
            const inside = `(${key} < vec4<i32>(${endKey}))`;
            const [score, mask] = writer
              .write(program.score, program.mask)
              .map((lanes) => lanes[0] as string);
            const counted = origin === null ? score : code.let('above', `${score} - ${origin}`);
            if (level !== null) source.hand('level', [splat(level, 4)]);
            source.hand('score', [counted as string]);
            const plain = softmax
              ? `${shader.use(exp(4))}(${counted}) / ${level}`
              : ((writer.write(normalizer.weight)[0] as Lanes)[0] as string);
            const weight = isLiteral(reweight, 1)
              ? plain
              : `${plain} * ${(writer.write(reweight)[0] as Lanes)[0]}`;
            const taken = code.let('taken', `select(vec4<f32>(), ${weight}, ${inside} & ${mask})`);
            code.set(total, `${total} + (${taken}.x + ${taken}.y + ${taken}.z + ${taken}.w)`);
          },
          4,
        );
      };
      if (origin === null) sum();
      else code.if(isFull(origin), sum);
    });
    const at = indexIn(shader, output.operand, [batch, head, queryBlock, keyBlock]);
    store(
      shader,
      code,
      output.operand.tensor,
      output.dtype,
      code.let('at', at),
      `${total} / f32(${endQuery} - ${firstQuery})`,
    );
  });
  return shader.finish(POOL_INVOCATIONS);
}
