// attend for few queries: keys are split into chunks, each of which a workgroup goes through for all heads that share it;
// a second dispatch merges the chunks in order.

import type { Expr } from '@heed/expr';
import { ExpressionWriter } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import { exp } from '../math/exponential.ts';
import { log } from '../math/logarithm.ts';
import { negativeInfinity } from '../math/special.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load, store } from '../storage.ts';
import { type Columns, Context } from './context.ts';
import { isLiteral, readsOf } from './formulas.ts';
import { among, type Design, PairKernel } from './kernel.ts';
import type { Operand } from './operand.ts';
import { indexIn, storeFour } from './output.ts';
import { formulaWeights, leave, type Outputs } from './prefill.ts';
import type { RowTile } from './row-tile.ts';
import { Exchange } from './rows.ts';
import { invocationsOf, rowsOf, type TileShape } from './shape.ts';
import { LEAST, reweighed, streamSoftmax } from './softmax.ts';
import { PairSource } from './source.ts';
import type { Values } from './value.ts';

/** Floats before the columns of a partial result: the largest score, the sum, and with a sink whether a pair was allowed. */
export const HEADER = 4;

export interface DecodeOptions {
  readonly design: Design;
  readonly machine: Machine;
  readonly shape: TileShape;
  readonly stageCells: number;
  readonly columns: Columns;
  readonly values: Values;
  /** Whether heads that share a head of keys are rows of one tile. */
  readonly packed: boolean;
  /** Partial results: [row, chunk, HEADER + columns], a multiple of four floats each. */
  readonly partial: Operand;
}

/** (batch, head of keys or head, tile of rows, chunk of keys, block of columns), the last fastest. */
function placeOf(
  shader: ShaderWriter,
  shape: TileShape,
  blocks: number,
  packed: boolean,
): { readonly tile: RowTile; readonly chunk: string; readonly block: string } {
  const { code } = shader;
  const [chunks, tiles] = [shader.number('chunks'), shader.number('tiles')];
  const [heads, keyHeads, queries] = ['heads', 'keyHeads', 'queryLength'].map((name) =>
    code.let(name, shader.length(name)),
  ) as [string, string, string];
  const split = (flat: string, by: string): readonly [string, string] => {
    const rest = code.let('rest', `${flat} / ${by}`);
    return [rest, code.let('at', `${flat} - ${rest} * ${by}`)];
  };
  const [flat, block] = blocks === 1 ? ['group', '0'] : split('group', String(blocks));
  const [byTile, chunk] = split(flat as string, chunks);
  const [matrix, nth] = split(byTile, tiles);
  const [batch, at] = split(matrix, packed ? keyHeads : heads);
  const shared = code.let('shared', packed ? `${heads} / ${keyHeads}` : '1');
  const keyHead = packed ? at : code.let('key_head', `${at} * ${keyHeads} / ${heads}`);
  return {
    tile: {
      batch,
      keyHead,
      head: packed ? null : at,
      firstHead: packed ? code.let('first_head', `${at} * ${shared}`) : at,
      first: code.let('first_row', `${nth} * ${rowsOf(shape)}`),
      count: code.let('rows', packed ? `${queries} * ${shared}` : queries),
    },
    chunk,
    block: block as string,
  };
}

/** The first dispatch: what one chunk of keys adds to each row. */
export function emitChunks(options: DecodeOptions): Shader {
  const { design, machine, shape, columns, values, partial } = options;
  const { program } = design;
  const { normalizer } = program;
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  leave(shader);
  const { tile, chunk, block } = placeOf(shader, shape, columns.blocks, options.packed);
  const softmax = normalizer.level.by === 'log-sum-exp';
  const kernel = new PairKernel({
    shader,
    design,
    shape,
    tile,
    roots: [program.reweight, ...(softmax ? [] : [normalizer.weight])],
    stageCells: options.stageCells,
  });
  const keys = shader.number('chunk');
  const from = code.let('from', `${chunk} * ${keys}`);
  const to = code.let('to', `min(${from} + ${keys}, ${kernel.keyLength})`);
  const exchange = new Exchange(kernel);
  const context = new Context(kernel, {
    values,
    columns,
    firstColumn: columns.blocks === 1 ? '0' : code.let('first_column', `${block} * ${columns.width}`),
    end: to,
    open: isLiteral(program.mask, 1),
    // Values are worth bringing where several invocations share them.
    shared: shape.down > 2,
  });
  const rows = Array.from({ length: shape.group }, (_, g) => g);
  let header: Lanes[] | null = null;
  if (softmax) {
    const { maximum, sum, seen } = streamSoftmax({
      kernel,
      exchange,
      context,
      from,
      to,
      watch: normalizer.sink !== null,
      sink: null,
    });
    header = [maximum, sum, ...(seen ? [seen] : [])].map((cells) => rows.map((g) => cells.of(g)));
  } else {
    kernel.sweep(from, to, ({ first, scores, allowed }) => {
      context.add(first, reweighed(kernel, formulaWeights(kernel, scores, null)), allowed);
    });
  }
  const start = (g: number): string => {
    const head = kernel.rows.head[tile.head === null ? g : 0] as string;
    const row = `((${tile.batch} * ${shader.length('heads')} + ${head}) * ${shader.length('queryLength')} + ${kernel.rows.query[g]})`;
    return code.let('partial', indexIn(shader, partial, [row, chunk]));
  };
  context.finish((g, column, four) => {
    code.if(kernel.isRow(g), () => {
      const at = code.let('at', `${start(g)} + ${HEADER} + ${column}`);
      for (let i = 0; i < 4; i++)
        store(shader, code, partial.tensor, 'float32', `${at} + ${i}`, `${four}.${'xyzw'[i]}`);
    });
  });
  if (header) {
    code.if(`${kernel.across} == 0${columns.blocks === 1 ? '' : ` && ${block} == 0`}`, () => {
      for (const g of rows) {
        code.if(kernel.isRow(g), () => {
          const at = start(g);
          header?.forEach((lanes, i) => {
            store(shader, code, partial.tensor, 'float32', `${at} + ${i}`, lanes[g] as string);
          });
        });
      }
    });
  }
  return shader.finish(invocationsOf(shape));
}

export interface MergeOptions {
  readonly design: Design;
  readonly machine: Machine;
  readonly values: Values;
  readonly partial: Operand;
  readonly outputs: Outputs;
}

export const MERGE_INVOCATIONS = 64;
/** Fours of columns of a row; where there are none, one invocation still has the level to write. */
export const foursOf = ({ width }: Values): number => Math.max(1, Math.ceil(width / 4));

/** The second dispatch: an invocation adds the chunks of four columns of one row, in the order of the keys. */
export function emitMerge({ design, machine, values, partial, outputs }: MergeOptions): Shader {
  const { program } = design;
  const { normalizer } = program;
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const fours = foursOf(values);
  const flat = code.let('flat', `group * ${MERGE_INVOCATIONS} + lid`);
  code.if(`${flat} < ${shader.number('fours')}`, () => {
    const [heads, queries, chunks] = [
      shader.length('heads'),
      shader.length('queryLength'),
      shader.number('chunks'),
    ];
    const row = code.let('row', `${flat} / ${fours}`);
    const column = code.let('column', `(${flat} - ${row} * ${fours}) * 4`);
    const matrix = code.let('matrix', `${row} / ${queries}`);
    const query = code.let('query', `${row} - ${matrix} * ${queries}`);
    const batch = code.let('batch', `${matrix} / ${heads}`);
    const head = code.let('head', `${matrix} - ${batch} * ${heads}`);
    const at = (chunk: string): string => code.let('at', indexIn(shader, partial, [row, chunk]));
    const read = (index: string): string => load(shader, partial.tensor, 'float32', index);
    const columnsAt = (start: string): string =>
      `vec4<f32>(${[0, 1, 2, 3].map((i) => read(`${start} + ${HEADER} + ${column} + ${i}`)).join(', ')})`;
    const context = code.var('context', 'vec4<f32>()', 'vec4<f32>');
    const place = [batch, head, query];
    let result = context;
    if (normalizer.level.by === 'log-sum-exp') {
      const expOf = shader.use(exp(1));
      const sink = normalizer.sink && rowScalar(shader, design, normalizer.sink, { batch, head, query });
      const maximum = code.var('maximum', sink ? `max(${LEAST}, ${sink})` : LEAST, 'f32');
      code.for('chunk', '0', chunks, (chunk) => code.set(maximum, `max(${maximum}, ${read(at(chunk))})`));
      const sum = code.var('sum', '0.0', 'f32');
      const seen = sink ? code.var('seen', '0.0', 'f32') : '';
      code.for('chunk', '0', chunks, (chunk) => {
        const start = at(chunk);
        const scale = code.let('scale', `${expOf}(${read(start)} - ${maximum})`);
        code.set(sum, `${sum} + ${scale} * ${read(`${start} + 1`)}`);
        if (sink) code.set(seen, `max(${seen}, ${read(`${start} + 2`)})`);
        if (values.width > 0) code.set(context, `${context} + ${scale} * ${columnsAt(start)}`);
      });
      if (sink) code.set(sum, `${sum} + ${expOf}(${sink} - ${maximum})`);
      const empty = code.let('empty', `bitcast<u32>(${sum}) == 0u${sink ? ` || ${seen} == 0.0` : ''}`);
      result = code.let('result', `select(${context} / ${sum}, vec4<f32>(), ${empty})`);
      const least = `${shader.use(negativeInfinity(1))}()`;
      code.if(`${column} == 0`, () => {
        if (outputs.level) {
          const level = code.let('level', `${maximum} + ${shader.use(log(1))}(${sum})`);
          const { operand, dtype } = outputs.level;
          store(
            shader,
            code,
            operand.tensor,
            dtype,
            indexIn(shader, operand, place),
            `select(${level}, ${least}, ${empty})`,
          );
        }
        if (outputs.stats) {
          const { operand, dtype } = outputs.stats;
          const index = code.let('stats', indexIn(shader, operand, place));
          store(shader, code, operand.tensor, dtype, index, `select(${maximum}, ${least}, ${empty})`);
          store(shader, code, operand.tensor, dtype, `${index} + 1`, sum);
        }
      });
    } else if (values.width > 0) {
      code.for('chunk', '0', chunks, (chunk) => code.set(context, `${context} + ${columnsAt(at(chunk))}`));
    }
    code.if(`${column} < ${values.width}`, () =>
      storeFour(
        shader,
        code,
        outputs.context,
        { ...values, aligned: outputs.context.aligned },
        place,
        column,
        result,
      ),
    );
  });
  return shader.finish(MERGE_INVOCATIONS);
}

/** A formula of one row. */
function rowScalar(
  shader: ShaderWriter,
  design: Design,
  formula: Expr,
  { batch, head, query }: { readonly batch: string; readonly head: string; readonly query: string },
): string {
  const { program, operands } = design;
  const { code } = shader;
  const keyHead = code.let('key_head', `${head} * ${shader.length('keyHeads')} / ${shader.length('heads')}`);
  const source = new PairSource({
    shader,
    code,
    width: 1,
    sizes: program.sizes,
    uniforms: program.uniforms,
    operands: among(operands, readsOf(formula)),
    rows: { batch, keyHead, head: [head], query: [query], readHead: [head], readQuery: [query] },
  });
  const writer = new ExpressionWriter({ shader, code, width: 1, sizes: program.sizes }, source);
  return code.let('sink', (writer.write(formula)[0] as Lanes)[0] as string);
}
