// Products by subgroup matrices: a workgroup's tile of sums, divided among its subgroups. The factors lie in workgroup
// memory as the 16-bit floats that they are, so that their products are exact, and are summed in float32.

import type { Machine, SubgroupMatrix } from './machine.ts';
import type { Code, ShaderWriter } from './shader.ts';

/** How the subgroups of a workgroup divide a tile. */
export interface MatrixTiling {
  readonly matrix: SubgroupMatrix;
  readonly invocations: number;
  /** Subgroups below and beside each other; where the device makes more of them, the others have nothing to do. */
  readonly down: number;
  readonly across: number;
  /** Matrices of sums of each subgroup, below and beside each other. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * The tiling of `rows` by `columns` sums of products of 16-bit floats; null where the machine has no matrices that sum
 * in float32 and divide the tile, or subgroups that workgroups of this size may not be whole numbers of.
 */
export function tilingOf(
  { matrices, subgroups, half }: Machine,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  invocations: number,
): MatrixTiling | null {
  if (!subgroups || !half || invocations % subgroups.max !== 0) return null;
  const size = ({ m, n, k }: SubgroupMatrix): number => m * n * k;
  const [matrix] = matrices
    .filter(({ component, result }) => component === 'f16' && result === 'f32')
    .filter(({ m, n, k }) => rows % m === 0 && columns % n === 0 && ALIGNED % k === 0)
    .sort((a, b) => size(b) - size(a));
  if (!matrix) return null;
  const [high, wide] = [rows / matrix.m, columns / matrix.n];
  let [down, across] = [1, 1];
  for (let left = invocations / subgroups.max; left >= 2; left /= 2) {
    const [tall, broad] = [high / down, wide / across];
    if (tall >= broad && tall % 2 === 0) down *= 2;
    else if (broad % 2 === 0) across *= 2;
  }
  return { matrix, invocations, down, across, rows: high / down, columns: wide / across };
}

/** Depths are whole multiples of this, which those of all matrices divide. */
export const ALIGNED = 16;
export const alignedDepth = (depth: number): number => Math.ceil(depth / ALIGNED) * ALIGNED;

export const describeMatrix = ({ matrix: { m, n, k } }: MatrixTiling): string =>
  `subgroup matrices of ${m} x ${n} x ${k}, float16 summed in float32`;

/** A factor's part in workgroup memory: its outer rows (or columns) by the depth along which products are summed. */
export interface Panel {
  readonly name: string;
  readonly outers: number;
  readonly depths: number;
  /** Which of them neighbours in memory differ in. */
  readonly inner: 'outer' | 'depth';
}

/** From one row of a panel to the next: rows begin at 16 bytes, as matrices must, and not all in one bank. */
const PAD = 8;
const pitchOf = ({ outers, depths, inner }: Omit<Panel, 'name'>): number =>
  (inner === 'depth' ? depths : outers) + PAD;
const lengthOf = (panel: Omit<Panel, 'name'>): number =>
  (panel.inner === 'depth' ? panel.outers : panel.depths) * pitchOf(panel);

/** Bytes of workgroup memory. */
export const panelBytes = (panel: Omit<Panel, 'name'>): number => 2 * lengthOf(panel);

export function panelOf(shader: ShaderWriter, hint: string, panel: Omit<Panel, 'name'>): Panel {
  shader.enable('f16');
  return { ...panel, name: shader.workgroup(hint, 'f16', lengthOf(panel), 2) };
}

/**
 * Fills a panel, neighbours in memory by neighbouring invocations, `many` of them at a time.
 *
 * @param value an f16, or four side by side as vec4<f16>: zero where there is nothing.
 */
export function fillPanel(
  code: Code,
  panel: Panel,
  invocations: number,
  many: 1 | 4,
  value: (outer: string, depth: string) => string,
): void {
  const inner = (panel.inner === 'depth' ? panel.depths : panel.outers) / many;
  const others = panel.inner === 'depth' ? panel.outers : panel.depths;
  code.for(
    'cell',
    'lid',
    String(inner * others),
    (cell) => {
      const other = code.let('other', `${cell} / ${inner}`);
      const along = code.let('along', `(${cell} - ${other} * ${inner})${many === 1 ? '' : ' * 4'}`);
      const found = panel.inner === 'depth' ? value(other, along) : value(along, other);
      const at = code.let('at', `${other} * ${pitchOf(panel)} + ${along}`);
      if (many === 1) code.set(`${panel.name}[${at}]`, found);
      else for (let i = 0; i < 4; i++) code.set(`${panel.name}[${at} + ${i}]`, `${found}.${'xyzw'[i]}`);
    },
    invocations,
  );
}

/** The sums of a workgroup's tile: zero where this is made. */
export class MatrixSums {
  readonly #code: Code;
  readonly #tiling: MatrixTiling;
  /** Where this subgroup's sums begin, in the tile. */
  readonly #top: string;
  readonly #left: string;
  readonly #down: string;
  /** Whether this subgroup has any. */
  readonly #own: string;
  readonly #sums: readonly (readonly string[])[];

  constructor(shader: ShaderWriter, tiling: MatrixTiling) {
    shader.enable('chromium_experimental_subgroup_matrix');
    shader.enable('subgroups');
    const { code } = shader;
    const { matrix, down, across, rows, columns } = tiling;
    this.#code = code;
    this.#tiling = tiling;
    const subgroup = code.let('subgroup', shader.builtin('subgroup_id'));
    this.#own = `${subgroup} < ${down * across}`;
    this.#down = code.let('subgroup_down', `${subgroup} / ${across}`);
    const beside = code.let('subgroup_across', `${subgroup} % ${across}`);
    this.#top = code.let('top', `${this.#down} * ${rows * matrix.m}`);
    this.#left = code.let('left', `${beside} * ${columns * matrix.n}`);
    const type = `subgroup_matrix_result<${matrix.result}, ${matrix.n}, ${matrix.m}>`;
    this.#sums = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => code.var('sums', `${type}()`)),
    );
  }

  /** Adds the product of two panels, to which nobody may write meanwhile. */
  add(left: Panel, right: Panel): void {
    const code = this.#code;
    const { component, m, n, k } = this.#tiling.matrix;
    const load = (panel: Panel, type: string, outer: string, depth: string, rowMajor: boolean): string => {
      const pitch = pitchOf(panel);
      const at =
        panel.inner === 'depth' ? `${outer} * ${pitch} + ${depth}` : `${depth} * ${pitch} + ${outer}`;
      const major = rowMajor ? 'row_major' : 'col_major';
      return `subgroupMatrixLoad<${type}, ${major}>(&${panel.name}, ${at}, ${pitch})`;
    };
    code.if(this.#own, () =>
      code.for(
        'depth',
        '0',
        String(left.depths),
        (depth) => {
          const ofRight = (this.#sums[0] as readonly string[]).map((_, j) =>
            code.let(
              'right',
              load(
                right,
                `subgroup_matrix_right<${component}, ${n}, ${k}>`,
                `(${this.#left} + ${j * n})`,
                depth,
                right.inner === 'outer',
              ),
            ),
          );
          this.#sums.forEach((sums, i) => {
            const ofLeft = code.let(
              'left',
              load(
                left,
                `subgroup_matrix_left<${component}, ${k}, ${m}>`,
                `(${this.#top} + ${i * m})`,
                depth,
                left.inner === 'depth',
              ),
            );
            sums.forEach((sum, j) => {
              code.set(sum, `subgroupMatrixMultiplyAccumulate(${ofLeft}, ${ofRight[j]}, ${sum})`);
            });
          });
        },
        k,
      ),
    );
  }

  /** Puts all sums into workgroup memory of f32, [row][column]. */
  store(memory: string, pitch: number): void {
    this.#code.if(this.#own, () =>
      this.#sums.forEach((_, i) => {
        this.#storeRow(i, memory, pitch, `(${this.#top} + ${i * this.#tiling.matrix.m})`);
      }),
    );
  }

  /**
   * Puts the sums into workgroup memory of f32 in turns, [row of the strip][column]: all subgroups the i-th row of their
   * matrices. `then` reads a strip once all have written it; `rowOf` gives the row of the tile that one of its rows is.
   */
  strips(memory: string, pitch: number, then: (rowOf: (row: string) => string) => void): void {
    const code = this.#code;
    const { matrix, rows } = this.#tiling;
    this.#sums.forEach((_, i) => {
      if (i > 0) code.barrier();
      code.if(this.#own, () => this.#storeRow(i, memory, pitch, `${this.#down} * ${matrix.m}`));
      code.barrier();
      then((row) => `(${row} / ${matrix.m} * ${rows * matrix.m} + ${i * matrix.m} + ${row} % ${matrix.m})`);
    });
  }

  #storeRow(i: number, memory: string, pitch: number, row: string): void {
    this.#sums[i]?.forEach((sum, j) => {
      const at = `${row} * ${pitch} + ${this.#left} + ${j * this.#tiling.matrix.n}`;
      this.#code.line(`subgroupMatrixStore<row_major>(&${memory}, ${at}, ${sum}, ${pitch});`);
    });
  }
}

/** Rows of one strip of `strips`. */
export const stripRows = ({ matrix, down }: MatrixTiling): number => matrix.m * down;
