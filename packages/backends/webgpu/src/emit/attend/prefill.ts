// attend for many queries: a workgroup takes a tile of rows of one head and goes through all keys.

import type { Lanes } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import { exp } from '../math/exponential.ts';
import { log } from '../math/logarithm.ts';
import { negativeInfinity } from '../math/special.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { store } from '../storage.ts';
import { type Columns, Context } from './context.ts';
import { isLiteral } from './formulas.ts';
import { type Design, PairKernel } from './kernel.ts';
import { indexIn, type Output, storeFour } from './output.ts';
import { countedFrom } from './relative.ts';
import type { RowTile } from './row-tile.ts';
import { Exchange, gatherRows, mapRows, type RowCells } from './rows.ts';
import { cellWidth, invocationsOf, rowsOf, type TileShape } from './shape.ts';
import { reweighed, splat, streamSoftmax } from './softmax.ts';
import { type Solved, solveArgmax, solveRoot } from './solve.ts';
import type { Values } from './value.ts';

/** What is written, by name; null where it is not wanted. */
export interface Outputs {
  readonly context: Output & { readonly aligned: boolean };
  readonly level: Output | null;
  /**
   * What weights are computed from later, two floats a row: what scores are counted from, -infinity where the row is
   * empty; and the level, or by log-sum-exp the sum of exp(score - the first).
   */
  readonly stats: Output | null;
}

export interface PrefillOptions {
  readonly design: Design;
  readonly machine: Machine;
  readonly shape: TileShape;
  readonly stageCells: number;
  readonly columns: Columns;
  readonly values: Values;
  readonly outputs: Outputs;
}

/** The tile of a workgroup among `tiles` for each batch and head. The last rows, which under a causal mask have most to do, go first. */
export function rowTile(shader: ShaderWriter, shape: TileShape, flat: string): RowTile {
  const { code } = shader;
  const [tiles, heads] = [shader.number('tiles'), shader.length('heads')];
  const count = code.let('queries', shader.length('queryLength'));
  const matrix = code.let('matrix', `${flat} / ${tiles}`);
  const nth = code.let('tile', `${tiles} - 1 - (${flat} - ${matrix} * ${tiles})`);
  const batch = code.let('batch', `${matrix} / ${heads}`);
  const head = code.let('head', `${matrix} - ${batch} * ${heads}`);
  const keyHead = code.let('key_head', `${head} * ${shader.length('keyHeads')} / ${heads}`);
  return {
    batch,
    keyHead,
    head,
    firstHead: head,
    first: code.let('first_row', `${nth} * ${rowsOf(shape)}`),
    count,
  };
}

/** Ends workgroups beyond the last. */
export function leave(shader: ShaderWriter): void {
  shader.code.if(`group >= ${shader.number('groups')}`, () => shader.code.line('return;'));
}

export function emitPrefill(options: PrefillOptions): Shader {
  const { design, machine, shape, columns, values, outputs } = options;
  const { program } = design;
  const { normalizer } = program;
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  leave(shader);
  const blocks = columns.blocks;
  const block = blocks === 1 ? '0' : code.let('block', `group % ${blocks}`);
  const tile = rowTile(shader, shape, blocks === 1 ? 'group' : `(group / ${blocks})`);
  const softmax = normalizer.level.by === 'log-sum-exp';
  const kernel = new PairKernel({
    shader,
    design,
    shape,
    tile,
    roots: [program.reweight, ...(softmax ? [] : [normalizer.weight])],
    stageCells: options.stageCells,
  });
  const exchange = new Exchange(kernel);
  const context = new Context(kernel, {
    values,
    columns,
    firstColumn: blocks === 1 ? '0' : code.let('first_column', `${block} * ${columns.width}`),
    end: kernel.keyLength,
    open: isLiteral(program.mask, 1),
    shared: true,
  });
  const sink = normalizer.sink && kernel.ofRows(normalizer.sink);
  const rows = softmax
    ? softmaxRows(kernel, exchange, context, sink)
    : weigh(kernel, exchange, context, sink);
  put(kernel, context, rows, outputs, blocks === 1 ? null : block);
  return shader.finish(invocationsOf(shape));
}

/** What a row's sums become: divided by `divisor`, zero where `empty`. */
interface RowResults {
  readonly divisor: RowCells | null;
  readonly empty: Lanes | null;
  readonly level: Lanes | null;
  readonly stats: readonly [Lanes, Lanes] | null;
}

function softmaxRows(
  kernel: PairKernel,
  exchange: Exchange,
  context: Context,
  sink: Lanes | null,
): RowResults {
  const { code, shader, shape, keyLength } = kernel;
  const { maximum, sum, seen } = streamSoftmax({
    kernel,
    exchange,
    context,
    from: '0',
    to: keyLength,
    watch: sink !== null,
    sink,
  });
  let total = sum;
  if (sink) {
    const own = gatherRows(kernel, 'sink', sink);
    const expOf = shader.use(exp(cellWidth(shape)));
    total = mapRows(kernel, 'sum', [sum, own, maximum], ([a, b, c]) => `${a} + ${expOf}(${b} - ${c})`);
  }
  const rows = Array.from({ length: shape.group }, (_, g) => g);
  const empty = rows.map((g) =>
    code.let('empty', `bitcast<u32>(${total.of(g)}) == 0u${seen ? ` || ${seen.of(g)} == 0.0` : ''}`),
  );
  const logs = mapRows(
    kernel,
    'level',
    [maximum, total],
    ([a, b]) => `${a} + ${shader.use(log(cellWidth(shape)))}(${b})`,
  );
  const least = `${shader.use(negativeInfinity(1))}()`;
  return {
    divisor: total,
    empty,
    level: rows.map((g) => `select(${logs.of(g)}, ${least}, ${empty[g]})`),
    stats: [rows.map((g) => `select(${maximum.of(g)}, ${least}, ${empty[g]})`), rows.map((g) => total.of(g))],
  };
}

/** The sweep that weighs by a formula, after the level is solved for. */
function weigh(kernel: PairKernel, exchange: Exchange, context: Context, sink: Lanes | null): RowResults {
  const { shader, shape, design, keyLength } = kernel;
  const { normalizer } = design.program;
  const { by } = normalizer.level;
  const solved: Solved | null =
    by === 'root'
      ? solveRoot(kernel, exchange, sink)
      : by === 'argmax'
        ? solveArgmax(kernel, exchange, sink)
        : null;
  const rows = Array.from({ length: shape.group }, (_, g) => g);
  kernel.sweep('0', keyLength, ({ first, scores, allowed }) => {
    const weights = formulaWeights(kernel, scores, solved);
    context.add(first, reweighed(kernel, weights), allowed);
  });
  if (!solved) return { divisor: null, empty: null, level: null, stats: null };
  const least = `${shader.use(negativeInfinity(1))}()`;
  const empty = rows.map((g) => kernel.code.let('empty', `${solved.full.of(g)} == 0.0`));
  return {
    divisor: null,
    empty,
    level: solved.kept.map((one, g) => `select(${one}, ${least}, ${empty[g]})`),
    stats: [rows.map((g) => `select(${solved.origin?.[g] ?? '0.0'}, ${least}, ${empty[g]})`), solved.level],
  };
}

/** For each row a level, and what it and the scores are counted from; null where that is nothing. */
export interface KnownLevel {
  readonly origin: Lanes | null;
  readonly level: Lanes;
}

/** The weights of pairs by the normalizer's formula. */
export function formulaWeights(kernel: PairKernel, scores: Lanes, known: KnownLevel | null): Lanes {
  const { shape, design } = kernel;
  return kernel.ofPairs(design.program.normalizer.weight, {
    score: countedFrom(kernel, scores, known?.origin ?? null),
    ...(known ? { level: known.level.map((one) => splat(one, shape.width)) } : {}),
  });
}

function put(
  kernel: PairKernel,
  context: Context,
  { divisor, empty, level, stats }: RowResults,
  outputs: Outputs,
  block: string | null,
): void {
  const { code, shader, rows, tile } = kernel;
  const at = (g: number): string[] => [tile.batch, rows.head[0] as string, rows.query[g] as string];
  context.finish((g, column, four) => {
    code.if(kernel.isRow(g), () => {
      const divided = divisor ? `${four} / ${divisor.of(g)}` : four;
      const result = code.let('result', empty ? `select(${divided}, vec4<f32>(), ${empty[g]})` : divided);
      storeFour(
        shader,
        code,
        outputs.context,
        { ...context.columns, aligned: outputs.context.aligned },
        at(g),
        column,
        result,
      );
    });
  });
  const writes = level && (outputs.level || outputs.stats);
  if (!writes) return;
  code.if(`${kernel.across} == 0${block ? ` && ${block} == 0` : ''}`, () => {
    level.forEach((one, g) => {
      code.if(kernel.isRow(g), () => {
        if (outputs.level) {
          const { operand, dtype } = outputs.level;
          store(shader, code, operand.tensor, dtype, indexIn(shader, operand, at(g)), one);
        }
        if (outputs.stats && stats) {
          const { operand, dtype } = outputs.stats;
          const index = code.let('stats', indexIn(shader, operand, at(g)));
          stats.forEach((lanes, i) => {
            store(shader, code, operand.tensor, dtype, `${index} + ${i}`, lanes[g] as string);
          });
        }
      });
    });
  });
}
