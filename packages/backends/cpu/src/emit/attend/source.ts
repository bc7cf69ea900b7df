// Where the lanes of a formula come from when lanes are queries: rows of queries are packed, rows of keys are broadcast.

import type { Node, NodeOf } from '@heed/expr';
import type { AttendInput, Uniforms } from '@heed/tensor';
import { type Cursor, load, type StoredDType } from '../access.ts';
import type { Position, Source } from '../expression.ts';
import type { Lanes, Simd } from '../simd.ts';
import { lengthNames } from './formula.ts';
import { dtypeOf, sideOf, sizeIn } from './layout.ts';
import {
  AXIS,
  add,
  FIRST_OWN,
  type Int,
  number,
  type Site,
  scaled,
  strideOn,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';

/** Lanes by the names of what a stage hands on: score, level, maximum, count. */
export type Given = ReadonlyMap<string, () => Lanes>;

/** The keys that a source is at. */
export interface Keys {
  /** For each key its position, and a pointer that moves along the tiles of terms: unit + row * LINE. */
  readonly rows: readonly { readonly key: Int; readonly line: Int }[];
}

/** What is the same for a whole unit of work, by name: places of it, lengths, uniforms. Null for anything else. */
export function callLanes({ code, design, frame, layout, unit, writer }: Site, name: string): Lanes | null {
  const splat = (from: Int, offset: number): Lanes => [
    code.let('v128', code.load('v128.load32_splat', from, offset)),
  ];
  if (name === 'batch' || name === 'head' || name === 'keyHead') return splat(unit, layout.unit.at(name));
  if (lengths.has(name)) return splat(frame, writer.word({ of: 'number', name }));
  const kind = (design.program.uniforms as Uniforms)[name];
  return kind ? splat(frame, writer.word({ of: 'uniform', name, kind })) : null;
}

const lengths: ReadonlySet<string> = new Set(Object.values(lengthNames));

/**
 * Lanes of `keys.rows.length` keys by 8 queries: two vectors for each key. Without keys, only what varies along no key
 * can be read.
 */
export class TileSource implements Source {
  readonly #site: Site;
  readonly #s: Simd;
  readonly #one: Simd;
  readonly #keys: Keys;
  readonly #given: Given;
  /** Bytes that positions stand for, where the kernel keeps them: by position and width. */
  readonly #bytes = new Map<string, { readonly base: Int; readonly delta: number }>();
  /** Pointers to the key rows of inputs that terms read, for each key. */
  readonly #rows: ReadonlyMap<string, readonly Int[]>;
  readonly #cached = new Map<string, Lanes>();

  constructor(
    site: Site,
    keys: Keys,
    given: Given = new Map(),
    rows: ReadonlyMap<string, readonly Int[]> = new Map(),
  ) {
    this.#site = site;
    this.#keys = keys;
    this.#given = given;
    this.#rows = rows;
    this.#s = site.writer.simd(site.code, site.pool, 2 * Math.max(1, keys.rows.length));
    this.#one = site.writer.simd(site.code, site.pool, 2);
  }

  get s(): Simd {
    return this.#s;
  }

  /** Says that `base` holds the bytes of a position less `delta` places, for elements of `width` bytes. */
  mark(at: Position, width: number, base: Int, delta: number): void {
    this.#bytes.set(`${at.index}:${width}`, { base, delta: delta * width });
  }

  /** Lanes that were loaded already and serve for an element of an input at a position. */
  remember(name: string, at: Position, lanes: Lanes): void {
    this.#cached.set(`${name}:${at.index}`, lanes);
  }

  /** Forgets what was remembered: the lanes are others in another loop. */
  forget(): void {
    this.#cached.clear();
  }

  scalar(input: NodeOf<'input'>): Lanes {
    const { name } = input.data;
    const { code, layout, sub } = this.#site;
    const given = this.#given.get(name);
    if (given) return given();
    if (layout.unit.has(`term:${name}`))
      return this.#each(({ line }) => this.#vectors(line, layout.unit.at(`term:${name}`)));
    if (layout.sub.has(`constant:${name}`))
      return this.#queries(this.#vectors(sub, layout.sub.at(`constant:${name}`)));
    if (name === 'query') return this.#queries(this.#vectors(sub, layout.sub.at('queries')));
    if (name === 'key') return this.#perKey(({ key }) => code.op('i32x4.splat', key));
    const known = callLanes(this.#site, name);
    if (known) return known;
    return this.element(input, []);
  }

  element(input: NodeOf<'input'>, at: readonly Position[]): Lanes {
    const { name } = input.data;
    const cached = at.length === 1 && this.#cached.get(`${name}:${(at[0] as Position).index}`);
    if (cached) return cached;
    const { code, layout, sub, unit } = this.#site;
    const dims = input.type.dims;
    if (layout.sub.has(`queries:${name}`)) {
      const [base, offset] = this.#packed(sub, at, dims, 32);
      return this.#queries(this.#vectors(base, layout.sub.at(`queries:${name}`) + offset));
    }
    const rows = this.#rows.get(name);
    if (rows) {
      return this.#perRow(rows, (row) => {
        const [base, offset] = this.#packed(row, at, dims, 4);
        return code.load('v128.load32_splat', base, offset);
      });
    }
    if (layout.unit.has(`shared:${name}`)) {
      const [base, offset] = this.#packed(unit, at, dims, 4);
      return [
        code.let('v128', code.load('v128.load32_splat', base, layout.unit.at(`shared:${name}`) + offset)),
      ];
    }
    return this.#strided(name, at);
  }

  lookup(table: Node, indices: readonly Lanes[], at: readonly Position[]): Lanes {
    if (table.op !== 'input') throw new Error('Only tables that are inputs can be read.');
    const { name } = table.data;
    const site = this.#site;
    const { code, design } = site;
    const { along, type } = design.program.inputs[name] as AttendInput;
    const dtype = dtypeOf(design.program, name);
    const own = FIRST_OWN + type.lookups;
    const sizes = indices.map((_, i) => number(site, `size:${name}:${i}`));
    const strides = indices.map((_, i) => strideOn(site, name, FIRST_OWN + i));
    const first = this.#firstOf(name, along);
    const [queryStep, keyStep] = [strideOn(site, name, AXIS.query), strideOn(site, name, AXIS.key)];
    const left = along.includes('query') ? subWord(site, 'left') : null;
    let start = first;
    at.forEach((position, axis) => {
      start = scaled(site, start, position, strideOn(site, name, own + axis));
    });
    const starts = this.#keys.rows.map(({ key }) =>
      along.includes('key') ? scaled(site, start, key, keyStep) : start,
    );
    const count = Math.max(
      ...indices.map(({ length }) => length),
      along.includes('query') || along.includes('key') ? this.#s.group : 1,
    );
    return Array.from({ length: count }, (_, v) => {
      const out = code.let('v128', code.zero());
      for (let lane = 0; lane < 4; lane++) {
        const pointer = code.let('i32', starts[v >> 1] ?? start);
        if (left) {
          // Lanes behind the last query stay at it.
          const query = code.let('i32', (v % 2) * 4 + lane);
          const last = add(site, left, -1);
          code.set(
            query,
            code.select('i32', code.get(query), code.get(last), code.op('i32.lt_s', query, last)),
          );
          code.set(pointer, code.op('i32.add', code.op('i32.mul', query, queryStep), pointer));
        }
        const inside = code.let('i32', 1);
        indices.forEach((index, i) => {
          const one = code.let('i32', code.lane('i32x4.extract_lane', lane, this.#s.vector(index, v)));
          code.set(inside, code.op('i32.and', code.op('i32.lt_u', one, sizes[i] as Int), inside));
          code.set(pointer, code.op('i32.add', code.op('i32.mul', one, strides[i] as Int), pointer));
        });
        code.if(inside, () => {
          const found = this.#broadcast(dtype, pointer);
          const bits = code.let('i32', code.lane('i32x4.extract_lane', 0, found));
          code.set(out, code.lane('i32x4.replace_lane', lane, out, bits));
        });
        if (count === 1) break;
      }
      if (count === 1) code.set(out, code.shuffle([0, 0, 0, 0], out, out));
      return out;
    });
  }

  /** Where an element lies that is packed with so many bytes for each number. */
  #packed(
    base: Int,
    at: readonly Position[],
    dims: readonly string[],
    width: number,
  ): readonly [Int, number] {
    const site = this.#site;
    const [first, second] = at;
    if (!first) return [base, 0];
    const known = this.#bytes.get(`${first.index}:${width}`);
    if (!second && known) return [add(site, base, known.base), known.delta];
    const flat = second ? scaled(site, second, first, sizeIn(site.design.program, dims[1] as string)) : first;
    return [scaled(site, base, flat, width), 0];
  }

  /** The address of an input for this unit and, where it varies along queries, this record. */
  #firstOf(name: string, along: readonly string[]): Int {
    const site = this.#site;
    const base = unitWord(site, `base:${name}`);
    return along.includes('query')
      ? scaled(site, base, subWord(site, 'query'), strideOn(site, name, AXIS.query))
      : base;
  }

  /** A number of an input that lies in memory as it was given. */
  #strided(name: string, at: readonly Position[]): Lanes {
    const site = this.#site;
    const { design, steps } = site;
    const { along, type } = design.program.inputs[name] as AttendInput;
    const dtype = dtypeOf(design.program, name);
    let start = this.#firstOf(name, along);
    at.forEach((position, axis) => {
      start = scaled(site, start, position, strideOn(site, name, FIRST_OWN + type.lookups + axis));
    });
    const side = sideOf(along);
    if (side === 'shared') return [this.#broadcast(dtype, start)];
    const keyStep = strideOn(site, name, AXIS.key);
    if (side === 'key') {
      const found = this.#keys.rows.map(({ key }) =>
        this.#broadcast(dtype, scaled(site, start, key, keyStep)),
      );
      return found.length === 1 ? found : found.flatMap((one) => [one, one]);
    }
    const left = subWord(site, 'left');
    const stride = strideOn(site, name, AXIS.query);
    return this.#keys.rows.flatMap(({ key }) => {
      const pointer = scaled(site, start, key, keyStep);
      const cursor: Cursor = { dtype, step: steps[name] ?? 'any', pointer, stride };
      const found = load(this.#one, cursor, left);
      return [this.#one.vector(found, 0), this.#one.vector(found, 1)];
    });
  }

  /** One stored number in all lanes. */
  #broadcast(dtype: StoredDType, pointer: Int): Vector {
    const cursor: Cursor = { dtype, step: 'repeat', pointer, stride: pointer };
    return load(this.#one.withGroup(1), cursor, null)[0] as Vector;
  }

  #vectors(base: Int, offset: number): Lanes {
    const { code } = this.#site;
    return [
      code.let('v128', code.load('v128.load', base, offset)),
      code.let('v128', code.load('v128.load', base, offset + 16)),
    ];
  }

  /** Two vectors of queries, for each key. */
  #queries(lanes: Lanes): Lanes {
    return this.#keys.rows.length <= 1 ? lanes : this.#keys.rows.flatMap(() => lanes);
  }

  #each(lanes: (row: Keys['rows'][number]) => Lanes): Lanes {
    return this.#keys.rows.flatMap(lanes);
  }

  #perKey(make: (row: Keys['rows'][number]) => ReturnType<Site['code']['zero']>): Lanes {
    const { code } = this.#site;
    const found = this.#keys.rows.map((row) => code.let('v128', make(row)));
    return found.length === 1 ? found : found.flatMap((one) => [one, one]);
  }

  #perRow(rows: readonly Int[], make: (row: Int) => ReturnType<Site['code']['zero']>): Lanes {
    const { code } = this.#site;
    const found = rows.map((row) => code.let('v128', make(row)));
    return found.length === 1 ? found : found.flatMap((one) => [one, one]);
  }
}
