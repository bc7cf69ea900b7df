// Where an attention keeps what it works on: the memory that each thread has for itself.
//
//   unit    what a block of queries of one head shares: places, addresses, packed rows of a block of keys, tiles of terms
//   sub     one record for each 8 queries: their rows, packed with queries as lanes, their sums, their context
//   tile    scores, then weights, [key][8 queries]; behind it whether each pair is allowed, as masks

import { type Node, sizeOf } from '@heed/expr';
import type { AttendInput, AttendProgram } from '@heed/tensor';
import type { StoredDType } from '../access.ts';
import type { Step } from '../geometry.ts';
import { type Machine, tileColumns } from '../machine.ts';
import { type Formulas, readsOf, type Split, type Term } from './formula.ts';

/** Queries of a tile: two vectors. */
export const LANES = 8;
/** Bytes of a row of a tile. */
export const LINE = LANES * 4;
/** How many records of 8 queries fill the columns of a tile. */
export const abreastOn = (machine: Machine): 1 | 2 => (tileColumns(machine) === 16 ? 2 : 1);
/** Keys that are looked at before moving on: with 64 features, keys and values stay in the second-level cache. */
export const BLOCK = 192;
/** Keys that a few queries look at before moving on: values of these are still in the first-level cache when weighed. */
export const FEW_BLOCK = 128;
/** Rows behind the last of a tile, which whole micro-tiles write into. */
export const PADDING = 8;

/** Named places, one after the other. */
export class Plot {
  readonly #offsets = new Map<string, number>();
  #end = 0;

  /** A place of so many bytes, once for each name. */
  add(name: string, bytes: number): void {
    if (this.#offsets.has(name)) return;
    // No line straddles two of the cache.
    const start = bytes < 16 ? this.#end : (this.#end + LINE - 1) & -LINE;
    this.#offsets.set(name, start);
    this.#end = start + bytes;
  }

  at(name: string): number {
    const offset = this.#offsets.get(name);
    if (offset === undefined) throw new Error(`The plot has no place called "${name}".`);
    return offset;
  }

  has(name: string): boolean {
    return this.#offsets.has(name);
  }

  get bytes(): number {
    return (this.#end + 63) & -64;
  }
}

/** What a kernel is specialised on besides its program. */
export interface AttendShape {
  /** Key rows and values that are read in place: float32, features side by side. Others are packed block by block. */
  readonly direct: readonly string[];
  /** How inputs of pairs move from query to query. */
  readonly steps: Readonly<Record<string, Step>>;
  /** Fewer queries than lanes: lanes are keys, or features, and each query is done on its own. */
  readonly few: boolean;
  /** What a kernel for few queries does: everything, a part of the keys, or what makes one result of all parts. */
  readonly share: 'all' | 'part' | 'merge';
}

/** What an attention does, from its program alone. */
export interface Design {
  readonly program: AttendProgram;
  readonly formulas: Formulas;
  /** Scores of all keys are kept before any becomes a weight: the level is known only then. */
  readonly whole: boolean;
  readonly by: 'none' | 'log-sum-exp' | 'argmax' | 'root';
  /** The score is a matrix product times this, multiplied into the queries when they are packed; null where it is not. */
  readonly scaled: {
    readonly by: 'product' | 'quotient' | 'negative' | 'itself';
    readonly factor: Node | null;
  } | null;
  readonly weights: 'none' | 'whole' | 'pooled';
  readonly pool: number;
  /** Blocks of 8 queries of a unit of work, unless weights are pooled. */
  readonly subs: number;
  /** Numbers of a row of values. */
  readonly width: number;
}

export const widthOf = (program: AttendProgram, name: string): number =>
  (program.inputs[name] as AttendInput).type.dims.reduce((all, dim) => all * sizeIn(program, dim), 1);

export function sizeIn(program: AttendProgram, dim: string): number {
  const size = sizeOf(dim, program.sizes);
  if (size === undefined) throw new Error(`The dim "${dim}" has no size.`);
  return size;
}

export const dtypeOf = (program: AttendProgram, name: string): StoredDType =>
  (program.inputs[name] as AttendInput).dtype as StoredDType;

/** Where an input lies on a pair. */
export type SideName = 'query' | 'key' | 'pair' | 'shared';
export function sideOf(along: readonly string[]): SideName {
  const [query, key] = [along.includes('query'), along.includes('key')];
  return query && key ? 'pair' : query ? 'query' : key ? 'key' : 'shared';
}

/** All terms of a program. */
export const termsOf = ({ score, cheaper }: Formulas): readonly Term[] => [
  ...score.terms,
  ...(cheaper?.score.terms ?? []),
];

/** Which inputs are packed, and which rows of keys are read by tiles. */
export interface Operands {
  /** Inputs along queries, with queries as lanes. */
  readonly queries: readonly string[];
  /** Vectors along keys that terms read row after row. */
  readonly keys: readonly string[];
  /** Vectors along neither that terms read. */
  readonly shared: readonly string[];
}

export function operandsOf(program: AttendProgram, formulas: Formulas): Operands {
  const { score, cheaper, mask, bounded, reweight, weight, low, high, sink, constants } = formulas;
  const splits: readonly Split[] = cheaper ? [score, cheaper.score] : [score];
  const folds = splits.flatMap(({ terms }) => terms.flatMap(({ product, node }) => (product ? [] : [node])));
  const others = [
    ...splits.map(({ rest }) => rest),
    ...(cheaper?.rows.map(({ body }) => body) ?? []),
    ...constants.map(({ node }) => node),
  ];
  const read = readsOf(...folds, ...others, mask, bounded, reweight, weight, low, high, sink);
  const byFolds = readsOf(...folds);
  const among = (names: ReadonlySet<string>, side: SideName, ranks: readonly number[]): string[] =>
    [...names].filter((name) => {
      const found = program.inputs[name];
      if (!found || found.type.lookups > 0 || sideOf(found.along) !== side) return false;
      return ranks.includes(found.type.dims.length);
    });
  const products = splits.flatMap(({ terms }) =>
    terms.flatMap(({ product }) => (product ? [product.key] : [])),
  );
  return {
    queries: [...among(read, 'query', [0, 1, 2]), ...guarded(formulas, program, 'query')].filter(unique),
    keys: [...products, ...among(byFolds, 'key', [1])].filter(unique),
    shared: among(byFolds, 'shared', [1]),
  };
}

const unique = (name: string, i: number, all: readonly string[]): boolean => all.indexOf(name) === i;

const guarded = ({ cheaper }: Formulas, { inputs }: AttendProgram, side: SideName): string[] =>
  cheaper?.guards.flatMap(({ input }) => (sideOf(inputs[input]?.along ?? []) === side ? [input] : [])) ?? [];

export interface Layout {
  readonly unit: Plot;
  readonly sub: Plot;
  readonly operands: Operands;
}

const unitWords = [
  'batch',
  'head',
  'keyHead',
  'first',
  'rows',
  'subs',
  'from',
  'to',
  'block',
  'count',
  'finite',
  'keyGuard',
  'sharedGuard',
  'pooled',
] as const;
const subWords = [
  'query',
  'mate',
  'left',
  'low',
  'high',
  'sureLow',
  'sureHigh',
  'tile',
  'allowed',
  'guard',
  'from',
  'to',
  'head',
  'tail',
] as const;
/** Two vectors of each. */
const subLanes = [
  'queries',
  'maximum',
  'sum',
  'decay',
  'count',
  'alive',
  'level',
  'kept',
  'share',
  'scale',
] as const;

/** Tensors of the call, each with an address. */
export const tensorsOf = ({ inputs, keep }: AttendProgram): string[] => [
  ...Object.keys(inputs),
  'context',
  ...(keep.level ? ['level'] : []),
  ...(keep.weights ? ['weights'] : []),
];

export function layOut({ program, formulas, width }: Design, shape: AttendShape): Layout {
  const operands = operandsOf(program, formulas);
  const [unit, sub] = [new Plot(), new Plot()];
  for (const word of unitWords) unit.add(word, 4);
  if (shape.share !== 'all') for (const word of ['part', 'found']) unit.add(word, 4);
  for (const word of subWords) sub.add(word, 4);
  for (const tensor of tensorsOf(program)) unit.add(`base:${tensor}`, 4);
  for (const name of [...operands.keys, program.value]) {
    unit.add(`row:${name}`, 4);
    unit.add(`step:${name}`, 4);
    const rows = (program.inputs[name] as AttendInput).along.includes('key') ? BLOCK : 1;
    if (!shape.direct.includes(name))
      unit.add(`keys:${name}`, (rows + PADDING) * widthOf(program, name) * 4 + 32);
  }
  for (const name of operands.shared) unit.add(`shared:${name}`, widthOf(program, name) * 4 + 32);
  for (const name of subLanes) sub.add(name, LINE);
  for (const name of operands.queries) sub.add(`queries:${name}`, widthOf(program, name) * LINE);
  for (const { name } of formulas.constants) sub.add(`constant:${name}`, LINE);
  for (const { name, product } of termsOf(formulas)) {
    unit.add(`term:${name}`, (BLOCK + PADDING) * LINE);
    if (product) sub.add(`product:${name}`, widthOf(program, product.query) * LINE);
  }
  for (const { name, body, along } of formulas.cheaper?.rows ?? []) {
    const numbers = body.type.dims.reduce((all, dim) => all * sizeIn(program, dim), 1);
    const side = sideOf(along);
    if (side === 'query') sub.add(`queries:${name}`, numbers * LINE);
    else if (side === 'key') unit.add(`keys:${name}`, (BLOCK + PADDING) * numbers * 4 + 32);
    else unit.add(`shared:${name}`, numbers * 4 + 32);
  }
  sub.add('context', (width + PADDING) * LINE);
  sub.add('nowhere', paddedBytes(width));
  if (shape.few) {
    for (const name of rowsOfFew(formulas, operands))
      sub.add(`rows:${name}`, LANES * rowBytesOf(program, formulas, name));
    sub.add('contexts', LANES * paddedBytes(width));
  }
  return { unit, sub, operands };
}

/** The bytes of a row of floats, filled up to whole vectors. */
export const paddedBytes = (numbers: number): number => ((numbers + 3) & -4) * 4;

/** Rows of queries that few queries need with features side by side: products', and vectors that other terms read. */
export const rowsOfFew = ({ score }: Formulas, { queries }: Operands): string[] => [
  ...score.terms.flatMap(({ name, product }) => (product ? [name] : [])),
  ...queries.filter((name) =>
    score.terms.some(({ node, product }) => !product && readsOf(node as Node).has(name)),
  ),
];

/** How far such rows are apart. */
export function rowBytesOf(program: AttendProgram, { score }: Formulas, name: string): number {
  const product = score.terms.find((term) => term.name === name)?.product;
  return paddedBytes(widthOf(program, product ? product.query : name));
}
