// Where lanes come from when there are fewer queries than lanes: one query against 8 keys, or against 4 features of a key.

import type { Node, NodeOf } from '@heed/expr';
import type { AttendInput } from '@heed/tensor';
import { type Cursor, load } from '../access.ts';
import type { Position, Source } from '../expression.ts';
import { bytesOf } from '../geometry.ts';
import type { Lanes } from '../simd.ts';
import { dtypeOf, rowBytesOf } from './layout.ts';
import {
  AXIS,
  add,
  FIRST_OWN,
  type Int,
  number,
  type Site,
  scaled,
  simd,
  strideOn,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';
import { callLanes, type Given } from './source.ts';

/** The query at hand: its place among those of the record. */
export interface Query {
  readonly index: Int;
  /** The record's address moved on by one lane for each query before: lanes of it begin with this query's. */
  readonly lane: Int;
}

/** What varies along no key, the same in all lanes; null for anything else. */
function ofQuery(site: Site, { lane, index }: Query, { data: { name } }: NodeOf<'input'>): Lanes | null {
  const { code, design, layout } = site;
  const own = (offset: number): Lanes => [code.let('v128', code.load('v128.load32_splat', lane, offset))];
  if (layout.sub.has(`constant:${name}`)) return own(layout.sub.at(`constant:${name}`));
  if (name === 'query') return own(layout.sub.at('queries'));
  if (layout.sub.has(`queries:${name}`)) return own(layout.sub.at(`queries:${name}`));
  const known = callLanes(site, name);
  if (known) return known;
  const input = design.program.inputs[name];
  if (!input || input.along.includes('key')) return null;
  const base = firstOf(site, name, input, index);
  const cursor: Cursor = {
    dtype: dtypeOf(design.program, name),
    step: 'repeat',
    pointer: base,
    stride: base,
  };
  return load(simd(site, 1), cursor, null);
}

/** Where an input of the query begins. */
function firstOf(site: Site, name: string, { along }: AttendInput, index: Int): Int {
  const base = unitWord(site, `base:${name}`);
  if (!along.includes('query')) return base;
  const query = site.code.let('i32', site.code.op('i32.add', subWord(site, 'query'), index));
  return scaled(site, base, query, strideOn(site, name, AXIS.query));
}

/** Lanes are 8 keys from one on. */
export class KeySource implements Source {
  readonly #site: Site;
  readonly #query: Query;
  readonly #key: Int;
  readonly #row: Int;
  readonly #left: Int;
  readonly #given: Given;

  /** @param row the first key's row in the block. @param left how many keys there are. */
  constructor(site: Site, query: Query, key: Int, row: Int, left: Int, given: Given = new Map()) {
    this.#site = site;
    this.#query = query;
    this.#key = key;
    this.#row = row;
    this.#left = left;
    this.#given = given;
  }

  scalar(input: NodeOf<'input'>): Lanes {
    const { name } = input.data;
    const { code, design, layout, steps, unit } = this.#site;
    const given = this.#given.get(name);
    if (given) return given();
    if (layout.unit.has(`term:${name}`)) {
      const at = scaled(this.#site, unit, this.#row, 4);
      return [0, 16].map((offset) =>
        code.let('v128', code.load('v128.load', at, layout.unit.at(`term:${name}`) + offset)),
      );
    }
    const s = simd(this.#site, 2);
    if (name === 'key')
      return s.op('i32x4.add', s.splatInt(this.#key), [...s.ints([0, 1, 2, 3]), ...s.ints([4, 5, 6, 7])]);
    const found = ofQuery(this.#site, this.#query, input);
    if (found) return found;
    const own = design.program.inputs[name] as AttendInput;
    const stride = strideOn(this.#site, name, AXIS.key);
    const pointer = scaled(this.#site, firstOf(this.#site, name, own, this.#query.index), this.#key, stride);
    const cursor: Cursor = {
      dtype: dtypeOf(design.program, name),
      step: steps[`${name}:keys`] ?? 'any',
      pointer,
      stride,
    };
    return load(s, cursor, this.#left);
  }

  element(input: NodeOf<'input'>): Lanes {
    throw new Error(`The vector "${input.data.name}" cannot be read key by key.`);
  }

  lookup(table: Node, indices: readonly Lanes[]): Lanes {
    const site = this.#site;
    const { code, design } = site;
    const { name } = (table as NodeOf<'input'>).data;
    const input = design.program.inputs[name] as AttendInput;
    const dtype = dtypeOf(design.program, name);
    const s = simd(site, 2);
    const sizes = indices.map((_, i) => number(site, `size:${name}:${i}`));
    const strides = indices.map((_, i) => strideOn(site, name, FIRST_OWN + i));
    const keyStep = strideOn(site, name, AXIS.key);
    const first = scaled(site, firstOf(site, name, input, this.#query.index), this.#key, keyStep);
    const last = add(site, this.#left, -1);
    return [0, 1].map((v) => {
      const out = code.let('v128', code.zero());
      for (let lane = 0; lane < 4; lane++) {
        const pointer = code.let('i32', first);
        if (input.along.includes('key')) {
          // Lanes behind the last key stay at it.
          const key = code.let('i32', v * 4 + lane);
          code.set(key, code.select('i32', code.get(key), code.get(last), code.op('i32.lt_s', key, last)));
          code.set(pointer, code.op('i32.add', code.op('i32.mul', key, keyStep), pointer));
        }
        const inside = code.let('i32', 1);
        indices.forEach((index, i) => {
          const one = code.let('i32', code.lane('i32x4.extract_lane', lane, s.vector(index, v)));
          code.set(inside, code.op('i32.and', code.op('i32.lt_u', one, sizes[i] as Int), inside));
          code.set(pointer, code.op('i32.add', code.op('i32.mul', one, strides[i] as Int), pointer));
        });
        code.if(inside, () => {
          const cursor: Cursor = { dtype, step: 'repeat', pointer, stride: pointer };
          const bits = code.let(
            'i32',
            code.lane('i32x4.extract_lane', 0, load(simd(site, 1), cursor, null)[0] as Vector),
          );
          code.set(out, code.lane('i32x4.replace_lane', lane, out, bits));
        });
      }
      return out;
    });
  }
}

/** Lanes are 4 features of one key and the query. */
export class FeatureSource implements Source {
  readonly #site: Site;
  readonly #query: Query;
  /** Where the key's row of each input begins. */
  readonly #rows: ReadonlyMap<string, Int>;
  /** What all keys share, by name: loaded by whoever comes first. */
  readonly #shared: Map<string, Lanes>;

  constructor(site: Site, query: Query, rows: ReadonlyMap<string, Int>, shared: Map<string, Lanes>) {
    this.#site = site;
    this.#query = query;
    this.#rows = rows;
    this.#shared = shared;
  }

  scalar(input: NodeOf<'input'>): Lanes {
    return this.#once(input.data.name, () => ofQuery(this.#site, this.#query, input) as Lanes);
  }

  element(input: NodeOf<'input'>, [at]: readonly Position[]): Lanes {
    const { name } = input.data;
    const { code, design, layout, sub, unit } = this.#site;
    const row = this.#rows.get(name);
    if (row) {
      const dtype = dtypeOf(design.program, name);
      const pointer = scaled(this.#site, row, at as Position, bytesOf(dtype));
      return load(simd(this.#site, 1), { dtype, step: 'unit', pointer, stride: pointer }, null);
    }
    return this.#once(name, () => {
      const from = scaled(
        this.#site,
        layout.sub.has(`rows:${name}`) ? this.#own(name, sub) : unit,
        at as Position,
        4,
      );
      const offset = layout.sub.has(`rows:${name}`)
        ? layout.sub.at(`rows:${name}`)
        : layout.unit.at(`shared:${name}`);
      return [code.let('v128', code.load('v128.load', from, offset))];
    });
  }

  lookup(): Lanes {
    throw new Error('A table cannot be read feature by feature.');
  }

  #own(name: string, sub: Int): Int {
    const { program, formulas } = this.#site.design;
    return scaled(this.#site, sub, this.#query.index, rowBytesOf(program, formulas, name));
  }

  #once(name: string, make: () => Lanes): Lanes {
    const known = this.#shared.get(name);
    if (known) return known;
    const made = make();
    this.#shared.set(name, made);
    return made;
  }
}
