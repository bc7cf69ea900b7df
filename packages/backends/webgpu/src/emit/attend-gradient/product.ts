// Gradients that are products of tiles: scalars of pairs times rows of the other side, both through workgroup memory. An
// invocation sums four rows (or keys) by a few fours of columns.

import { asExpr } from '@heed/expr';
import type { Axis } from '@heed/tensor';
import type { PairKernel } from '../attend/kernel.ts';
import { type Operand, offsetOf, read, readFour, sumOf, term } from '../attend/operand.ts';
import { invocationsOf, rowsOf } from '../attend/shape.ts';
import { laneOf } from '../expression.ts';
import { float } from '../lanes.ts';
import type { Changes } from './backward.ts';
import { SHAPE, type StageTerm } from './design.ts';
import type { Frame, Summation } from './frame.ts';

const INVOCATIONS = invocationsOf(SHAPE);
/** Fours of rows or keys in a tile, and the invocations side by side along columns. */
const FOURS = 8;
const LANES = INVOCATIONS / FOURS;
/** Fours of columns that an invocation may sum. */
const MOST = 4;
/** Rows, and keys, of a tile: a product goes over so many. */
const LENGTH = rowsOf(SHAPE);
/**
 * The bits of what a pair that does not count has as its factor, minus zero: it gives nothing, and is told from a zero. It is
 * chosen as an integer, for compilers take minus zero for zero.
 */
const BARRED = '0x80000000u';

/** Columns that a workgroup sums. */
export const columnsOf = (width: number): number =>
  Math.min(LANES * 4 * MOST, Math.max(4, Math.ceil(width / 4) * 4));

export function sumProducts(frame: Frame, terms: readonly StageTerm[]): Summation {
  const { shader, options, firstElement } = frame;
  const { code } = shader;
  const { target, block } = options;
  const { byQuery, width } = target;
  const fours = block / 4;
  const times = Math.ceil(fours / LANES);
  const factors = shader.workgroup('factors', 'vec4<f32>', LENGTH * FOURS, 16);
  // Nonzero once a row was seen that holds what is infinite or NaN.
  const strange = shader.workgroup('strange', 'atomic<u32>', 1);
  code.if('lid == 0', () => code.line(`atomicStore(&${strange}[0], 0u);`));
  const four = code.let('four', `lid / ${LANES}`);
  const lane = code.let('lane', `lid % ${LANES}`);
  const sums = Array.from({ length: 4 }, () =>
    Array.from({ length: times }, () => code.var('sum', 'vec4<f32>()', 'vec4<f32>')),
  );
  const free = options.machine.workgroupBytes - LENGTH * FOURS * 16 - 64;
  const stageCells = Math.min(640, Math.floor(free / 16));

  const write = ({ down, across }: PairKernel, lanes: readonly string[]): void => {
    if (!byQuery) {
      lanes.forEach((one, g) => {
        code.set(`${factors}[(${down} * ${SHAPE.group} + ${g}) * ${FOURS} + ${across}]`, one);
      });
      return;
    }
    ['x', 'y', 'z', 'w'].forEach((component, i) => {
      const column = lanes.map((one) => `${one}.${component}`).join(', ');
      code.set(`${factors}[(${across} * 4 + ${i}) * ${FOURS} + ${down}]`, `vec4<f32>(${column})`);
    });
  };

  /** Adds factor times row of one key (or row) of the tile. */
  const multiply = (at: string, values: readonly string[], careful: boolean): void => {
    const factor = code.let('factor', `${factors}[${at}]`);
    sums.forEach((own, g) => {
      const one = `${factor}.${'xyzw'[g]}`;
      const all = (): void =>
        own.forEach((sum, n) => {
          code.set(sum, `${sum} + ${one} * ${values[n]}`);
        });
      if (careful) code.if(`bitcast<u32>(${one}) != ${BARRED}`, all);
      else all();
    });
  };

  const bring = (kernel: PairKernel, operand: Operand, from: string, many: number): void => {
    const { stage, place } = kernel;
    code.for(
      'cell',
      'lid',
      String(many * fours),
      (cell) => {
        const j = code.let('j', `${cell} / ${fours}`);
        const n = code.let('n', from === '0' ? j : `${from} + ${j}`);
        const column = code.let('column', `${firstElement} + (${cell} - ${j} * ${fours}) * 4`);
        const own = byQuery ? { key: place.key(n) } : place.row(n);
        const start = code.let('row', rowOf(kernel, operand, own));
        const number = (i: number): string => {
          // What lies past the last column is summed like the others and goes nowhere.
          const at = width % 4 === 0 ? `${column} + ${i}` : `min(${column} + ${i}, ${width - 1})`;
          return read(
            shader,
            operand,
            sumOf([start, term(shader, operand, operand.along.length, `(${at})`)]),
          );
        };
        const value = code.let(
          'value',
          operand.fours
            ? readFour(shader, operand, `${start} + ${column}`)
            : `vec4<f32>(${[0, 1, 2, 3].map(number).join(', ')})`,
        );
        code.if(isStrange(value), () => code.line(`atomicStore(&${strange}[0], 1u);`));
        code.set(`${stage.name}[${cell}]`, value);
      },
      INVOCATIONS,
    );
  };

  const product = (kernel: PairKernel, operand: Operand): void => {
    const { stage } = kernel;
    const room = Math.max(1, Math.floor(stage.cells / fours));
    const some = Math.ceil(LENGTH / Math.ceil(LENGTH / room));
    const piece = (from: string): void => {
      stage.claim(some * fours);
      bring(kernel, operand, from, some);
      stage.barrier();
      const most = LENGTH % some === 0 ? String(some) : `min(${some}, ${LENGTH} - ${from})`;
      const steps = LENGTH % some === 0 && some % 2 === 0 ? 2 : 1;
      const loop = (careful: boolean) => (): void =>
        code.for(
          'j',
          '0',
          most,
          (j) => {
            const cell = code.let('cell', `${j} * ${fours} + ${lane}`);
            const factor = code.let('cell', `${from === '0' ? j : `(${from} + ${j})`} * ${FOURS} + ${four}`);
            for (let step = 0; step < steps; step++) {
              const values = Array.from({ length: times }, (_, n) =>
                code.let('value', `${stage.name}[${cell} + ${step * fours + n * LANES}]`),
              );
              multiply(`${factor} + ${step * FOURS}`, values, careful);
            }
          },
          steps,
        );
      const own = (): void => code.if(`atomicLoad(&${strange}[0]) != 0u`, loop(true), loop(false));
      if (fours < LANES) code.if(`${lane} < ${fours}`, own);
      else own();
      stage.use();
    };
    if (some === LENGTH) {
      piece('0');
      return;
    }
    stage.use();
    code.for('from', '0', String(LENGTH), piece, some);
  };

  const add = (kernel: PairKernel, changes: Changes): void => {
    for (const { stage, row, factor, scale } of terms) {
      const by = changes.of(stage);
      const own = factor ? kernel.ofPairs(asExpr(factor)) : null;
      const lanes = by.map((one, g) => {
        const times = `${one}${own ? ` * ${laneOf(own, g)}` : ''}${scale === 1 ? '' : ` * ${float(scale)}`}`;
        return code.let(
          'factor',
          `bitcast<vec4<f32>>(select(vec4<u32>(${BARRED}), bitcast<vec4<u32>>(${times}), ${changes.counted[g]}))`,
        );
      });
      kernel.stage.claim(0);
      write(kernel, lanes);
      kernel.stage.use();
      product(kernel, kernel.design.operands[row] as Operand);
    }
  };

  const finish = (): void => {
    sums.forEach((own, g) => {
      const at = code.let('at', `${byQuery ? frame.firstRow : frame.firstKey} + ${four} * 4 + ${g}`);
      code.if(byQuery ? frame.isRow(at) : frame.isKey(at), () =>
        own.forEach((sum, n) => {
          const column = code.let('column', `${firstElement} + (${lane} + ${n * LANES}) * 4`);
          const end = Math.min(width, block * options.blocks);
          for (let i = 0; i < 4; i++) {
            const place = byQuery ? { query: at } : { key: at };
            const put = (): void => frame.put(place, [`${column} + ${i}`], `${sum}.${'xyzw'[i]}`);
            if (fours === LANES * times && width % 4 === 0) put();
            else code.if(`${column} + ${i} < min(${end}, ${firstElement} + ${block})`, put);
          }
        }),
      );
    });
  };
  return { stageCells, add, finish };
}

/** Where a row of an operand begins, for one of the tile's keys or rows. */
function rowOf(
  { shader, place: { batch, keyHead } }: PairKernel,
  operand: Operand,
  own: Partial<Record<Axis, string>>,
): string {
  const at: Partial<Record<Axis, string>> = { batch, keyHead, ...own };
  return sumOf([
    offsetOf(shader, operand),
    ...operand.along.map((axis, i) => term(shader, operand, i, at[axis] as string)),
  ]);
}

/** Whether any of four floats is infinite or NaN. */
const isStrange = (value: string): string =>
  `any((bitcast<vec4<u32>>(${value}) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u))`;
