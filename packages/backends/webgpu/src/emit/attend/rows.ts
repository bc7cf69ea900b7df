// Numbers that each row of an invocation has: maxima, sums. They are held as cells and exchanged among the invocations that
// share the rows.

import { typeOf, type Width } from '../lanes.ts';
import type { PairKernel } from './kernel.ts';
import { cellWidth, groupCells, rowCells, rowsOf } from './shape.ts';
import type { Subgroup } from './subgroup.ts';

/** A number for each row of the invocation. */
export class RowCells {
  /** WGSL values of `width` rows each. */
  readonly cells: readonly string[];
  readonly #width: Width;

  constructor(cells: readonly string[], width: Width) {
    this.cells = cells;
    this.#width = width;
  }

  /** The number of a row. */
  of(g: number): string {
    return this.#width === 1
      ? (this.cells[g] as string)
      : `${this.cells[Math.floor(g / 4)]}.${'xyzw'[g % 4]}`;
  }
}

/** Variables for a number of each row. */
export const rowVariables = ({ code, shape }: PairKernel, hint: string, first: string): RowCells =>
  new RowCells(
    Array.from({ length: groupCells(shape) }, () => {
      const type = typeOf('float', cellWidth(shape));
      return code.var(hint, `${type}(${first})`, type);
    }),
    cellWidth(shape),
  );

/** Cells of numbers that are there row by row. */
export const gatherRows = ({ code, shape }: PairKernel, hint: string, numbers: readonly string[]): RowCells =>
  new RowCells(
    cellWidth(shape) === 1
      ? numbers.map((one) => code.let(hint, one))
      : Array.from({ length: groupCells(shape) }, (_, i) =>
          code.let(hint, `vec4<f32>(${numbers.slice(4 * i, 4 * i + 4).join(', ')})`),
        ),
    cellWidth(shape),
  );

/** Cells computed from others. */
export const mapRows = (
  { code, shape }: PairKernel,
  hint: string,
  args: readonly RowCells[],
  write: (args: readonly string[]) => string,
): RowCells =>
  new RowCells(
    Array.from({ length: groupCells(shape) }, (_, i) =>
      code.let(hint, write(args.map(({ cells }) => cells[i] as string))),
    ),
    cellWidth(shape),
  );

export const setRows = ({ code }: PairKernel, target: RowCells, value: RowCells): void =>
  target.cells.forEach((cell, i) => {
    code.set(cell, value.cells[i] as string);
  });

/** Invocations that read what as many others wrote, before they are too many. */
const RADIX = 8;

/**
 * Combines what the invocations that share rows have, in one order everywhere: each of them gets the result. The
 * workgroup waits; between two calls it must wait once more before the second writes (`Exchange` sees to it).
 */
export class Exchange {
  readonly #kernel: PairKernel;
  readonly #memory: string;
  #half = 0;

  constructor(kernel: PairKernel) {
    this.#kernel = kernel;
    const { shader, shape } = kernel;
    // Two halves in turns: what is being read is not written by those that went ahead to the next exchange.
    this.#memory = shader.workgroup(
      'exchange',
      typeOf('float', cellWidth(shape)),
      2 * this.#cells,
      4 * cellWidth(shape),
    );
  }

  static bytes(shape: PairKernel['shape']): number {
    return 2 * rowsOf(shape) * shape.across * 4;
  }

  get #cells(): number {
    const { shape } = this.#kernel;
    return rowCells(shape) * shape.across;
  }

  combine(values: RowCells, combine: (a: string, b: string) => string): RowCells {
    const { shape, across } = this.#kernel;
    let known = values;
    const { subgroup } = this.#kernel;
    let side = 1;
    if (subgroup) {
      known = this.#shuffled(subgroup, values, combine);
      side = subgroup.lanes;
    }
    for (; side < shape.across; side *= RADIX) {
      const many = Math.min(RADIX, shape.across / side);
      // The invocations that differ from this one only in this digit of their place.
      const first =
        side === 1 && many === shape.across
          ? '0'
          : this.#kernel.code.let('first', `${across} - (${across} / ${side}) % ${many} * ${side}`);
      known = this.#round(known, first, side, many, combine);
    }
    return known;
  }

  /** The first digit without workgroup memory, where subgroups hold neighbouring invocations; else through it. */
  #shuffled(
    { lanes, linear }: Subgroup,
    values: RowCells,
    combine: (a: string, b: string) => string,
  ): RowCells {
    const { code, shape, across, stage } = this.#kernel;
    const type = typeOf('float', cellWidth(shape));
    const results = values.cells.map((cell) => code.var('all', cell, type));
    code.if(
      linear,
      () => {
        for (let step = 1; step < lanes; step *= 2) {
          for (const result of results)
            code.set(result, combine(result, `subgroupShuffleXor(${result}, ${step}u)`));
        }
      },
      () => {
        const first = code.let('first', `${across} - ${across} % ${lanes}`);
        const half = this.#half;
        const joined = this.#round(values, first, 1, lanes, combine);
        joined.cells.forEach((cell, i) => {
          code.set(results[i] as string, cell);
        });
        // The next round writes to the half that it would write to after the other branch: here somebody may be reading it.
        stage.barrier();
        this.#half = half;
      },
    );
    // Where the subgroups did it, nobody has waited.
    stage.use();
    return new RowCells(results, cellWidth(shape));
  }

  #round(
    values: RowCells,
    first: string,
    step: number,
    many: number,
    combine: (a: string, b: string) => string,
  ): RowCells {
    const { code, shape, down, across, stage } = this.#kernel;
    const own = groupCells(shape);
    const half = this.#half * this.#cells;
    this.#half = 1 - this.#half;
    const place = (who: string, i: number): string =>
      `${this.#memory}[${who} * ${rowCells(shape)}${shape.down === 1 ? '' : ` + ${down} * ${own}`} + ${half + i}]`;
    values.cells.forEach((cell, i) => {
      code.set(place(across, i), cell);
    });
    stage.barrier();
    const results = values.cells.map((_, i) =>
      code.var('all', place(first, i), typeOf('float', cellWidth(shape))),
    );
    code.for('other', '1', String(many), (other) => {
      const who = code.let('who', `${first} + ${other}${step === 1 ? '' : ` * ${step}`}`);
      results.forEach((result, i) => {
        code.set(result, combine(result, place(who, i)));
      });
    });
    return new RowCells(results, cellWidth(shape));
  }
}
