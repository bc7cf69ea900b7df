// A score's product of two rows by subgroup matrices: a tile of products for each tile of pairs.

import { asNode, type Expr, input, reachable, rebuild, type Scalar, scalar } from '@heed/expr';
import { axisNames } from '@heed/tensor';
import type { Lanes } from '../lanes.ts';
import type { Machine } from '../machine.ts';
import {
  alignedDepth,
  fillPanel,
  MatrixSums,
  type MatrixTiling,
  type Panel,
  panelBytes,
  panelOf,
  tilingOf,
} from '../matrices.ts';
import { loadHalf, loadHalf4 } from '../storage.ts';
import { PRODUCT } from './axes.ts';
import type { PairKernel } from './kernel.ts';
import { type Operand, variesAlong } from './operand.ts';
import { indexIn } from './output.ts';
import type { RowPlace } from './row-tile.ts';
import { invocationsOf, keysOf, rowsOf, type TileShape } from './shape.ts';

/** A score in which the product of two rows of 16-bit floats is a number that is handed to it. */
export interface RowProduct {
  readonly query: Operand;
  readonly key: Operand;
  /** Reads `$product`. */
  readonly score: Expr<Scalar>;
}

/** The first such product within a score, wherever it stands there; null where there is none. */
export function productIn(
  score: Expr<Scalar>,
  operands: Readonly<Record<string, Operand>>,
): RowProduct | null {
  const dots = [...reachable([asNode(score)])].filter(({ op }) => op === 'dot');
  for (const dot of dots) {
    const rows = dot.args.map((arg) => (arg.op === 'input' ? operands[arg.data.name] : undefined));
    const query = rows.find((row) => row && isRow(row, 'query', 'key'));
    const key = rows.find((row) => row && isRow(row, 'key', 'query'));
    if (!query || !key) continue;
    const [handed] = rebuild([score], (node, home) =>
      node === dot ? asNode(input(home, PRODUCT, scalar, axisNames)) : node,
    );
    return { query, key, score: handed as Expr<Scalar> };
  }
  return null;
}

const isRow = (operand: Operand, own: 'query' | 'key', other: 'query' | 'key'): boolean =>
  operand.dtype === 'float16' &&
  !operand.computed &&
  operand.type.lookups === 0 &&
  operand.type.dims.length === 1 &&
  variesAlong(operand, own) &&
  !variesAlong(operand, other);

/** A product, and how a workgroup computes a tile of it. */
export interface ProductDesign extends RowProduct {
  readonly tiling: MatrixTiling;
  /** Features of a row, and of keys in workgroup memory at a time. */
  readonly features: number;
  readonly step: number;
  /** Bytes of workgroup memory. */
  readonly bytes: number;
}

/** Features of keys that workgroup memory holds at a time, at most. */
const STEP = 64;
/** Floats from one row of products to the next: whole fours, and not all in one bank. */
const pitchOf = (shape: TileShape): number => keysOf(shape) + 4;

/** Null where the machine has no matrices for tiles of this shape, or `room` bytes of workgroup memory are too few. */
export function designProduct(
  product: RowProduct,
  machine: Machine,
  shape: TileShape,
  room: number,
): ProductDesign | null {
  const tiling = tilingOf(machine, { rows: rowsOf(shape), columns: keysOf(shape) }, invocationsOf(shape));
  const features = product.query.layout.shape.at(-1) as number;
  if (!tiling || shape.width !== 4 || features === 0) return null;
  const step = alignedDepth(features / Math.ceil(features / STEP));
  const bytesOf = (outers: number): number => panelBytes({ outers, depths: step, inner: 'depth' });
  const bytes =
    Math.ceil(features / step) * bytesOf(rowsOf(shape)) +
    bytesOf(keysOf(shape)) +
    rowsOf(shape) * pitchOf(shape) * 4;
  return bytes <= room ? { ...product, tiling, features, step, bytes } : null;
}

/** Writes the products of a kernel's tiles. The rows of its queries stay in workgroup memory. */
export class ProductTile {
  readonly #kernel: PairKernel;
  readonly #design: ProductDesign;
  readonly #queries: readonly Panel[];
  readonly #keys: Panel;
  readonly #products: string;

  constructor(kernel: PairKernel, design: ProductDesign) {
    const { shader, shape } = kernel;
    this.#kernel = kernel;
    this.#design = design;
    const { step, features } = design;
    const panel = { depths: step, inner: 'depth' } as const;
    this.#queries = Array.from({ length: Math.ceil(features / step) }, () =>
      panelOf(shader, 'queries', { ...panel, outers: rowsOf(shape) }),
    );
    this.#keys = panelOf(shader, 'keys', { ...panel, outers: keysOf(shape) });
    this.#products = shader.workgroup('products', 'f32', rowsOf(shape) * pitchOf(shape));
    this.#queries.forEach((queries, i) => {
      this.#fill(queries, design.query, i * step, (n) => kernel.place.row(n));
    });
  }

  /** For each row of the invocation the products with its keys. The workgroup must arrive there as a whole. */
  lanes(): Lanes {
    const { code, shader, shape, stage, place, down, across } = this.#kernel;
    const { tiling, step, key } = this.#design;
    const sums = new MatrixSums(shader, tiling);
    this.#queries.forEach((queries, i) => {
      if (i > 0) stage.barrier();
      this.#fill(this.#keys, key, i * step, (n) => ({ key: place.key(n) }));
      stage.barrier();
      sums.add(queries, this.#keys);
    });
    sums.store(this.#products, pitchOf(shape));
    stage.barrier();
    return Array.from({ length: shape.group }, (_, g) => {
      const row = `(${shape.down === 1 ? '' : `${down} * ${shape.group} + `}${g})`;
      const at = code.let('at', `${row} * ${pitchOf(shape)} + ${across} * 4`);
      const each = [0, 1, 2, 3].map((lane) => `${this.#products}[${at} + ${lane}]`);
      return code.let('product', `vec4<f32>(${each.join(', ')})`);
    });
  }

  /** A step of features of all rows; zero beyond the last feature. */
  #fill(
    panel: Panel,
    operand: Operand,
    from: number,
    placeOf: (n: string) => RowPlace | { readonly key: string },
  ): void {
    const { code, shader, shape, tile } = this.#kernel;
    const { features } = this.#design;
    const { batch, keyHead, firstHead: head } = tile;
    const many = operand.fours ? 4 : 1;
    fillPanel(code, panel, invocationsOf(shape), many, (n, depth) => {
      const at: Record<string, string> = { batch, keyHead, head, ...placeOf(n) };
      const feature = from === 0 ? depth : code.let('feature', `${from} + ${depth}`);
      const coordinates = [...operand.along.map((axis) => at[axis] as string), feature];
      const load = (): string => {
        const index = code.let('index', indexIn(shader, operand, coordinates));
        return many === 4
          ? loadHalf4(shader, operand.tensor, index)
          : loadHalf(shader, operand.tensor, index);
      };
      if (from + panel.depths <= features) return code.let('value', load());
      const value = code.var('value', many === 4 ? 'vec4<f16>()' : 'f16()');
      code.if(`${feature} < ${features}`, () => code.set(value, load()));
      return value;
    });
  }
}
