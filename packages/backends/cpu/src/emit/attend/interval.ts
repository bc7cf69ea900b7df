// Which keys a mask can allow for 8 queries, and which it allows for all of them: intervals that bound the loop over keys.
//
// Understood are comparisons of the key's place with ints that vary along no key (causal, windows, prefixes, padding),
// conditions that do not look at keys, and what is made of these by and, or, not. The ints are computed for each query, so
// that their least and greatest are exact. Of anything else nothing is known: any key may be allowed, none surely is.

import { asExpr, build, constant, graph, type Node } from '@heed/expr';
import type { Lanes } from '../simd.ts';
import { axisNames } from './formula.ts';
import { ofQueries } from './pack-queries.ts';
import { add, type Int, least, most, number, type Site, setSub, simd, type Vector } from './site.ts';

/** Keys from `low` up to `high`; none where they meet or cross. */
interface Interval {
  readonly low: Int;
  readonly high: Int;
}

interface Bounds {
  /** Outside of it nothing is allowed. */
  readonly possible: Interval;
  /** Inside of it everything is allowed. */
  readonly sure: Interval;
}

/** Ints beyond this might wrap when they are added; with them nothing is known. */
const SAFE = 2 ** 30;

/** Writes the record's `low` and `high`, `sureLow` and `sureHigh`. */
export function writeBounds(site: Site): void {
  const { bounded, along } = site.design.formulas;
  const reader = new Reader(site, along);
  const { possible, sure } = bounded ? reader.read(bounded) : reader.everywhere();
  setSub(site, 'low', possible.low);
  setSub(site, 'high', possible.high);
  setSub(site, 'sureLow', sure.low);
  setSub(site, 'sureHigh', sure.high);
}

class Reader {
  readonly #site: Site;
  readonly #along: (node: Node) => ReadonlySet<string>;
  readonly #length: Int;
  readonly #zero: Int;

  constructor(site: Site, along: (node: Node) => ReadonlySet<string>) {
    this.#site = site;
    this.#along = along;
    this.#length = number(site, 'keyLength');
    this.#zero = site.code.let('i32', 0);
  }

  everywhere(): Bounds {
    return { possible: this.#all(), sure: this.#all() };
  }

  read(node: Node): Bounds {
    const [a, b] = node.args as readonly [Node, Node];
    if (!this.#along(node).has('key')) return this.#ofQueries(node);
    switch (node.op) {
      case 'and':
        return this.#both(this.read(a), this.read(b));
      case 'or':
        return this.#either(this.read(a), this.read(b));
      case 'not':
        return this.#not(this.read(a));
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
      case 'eq':
      case 'ne':
        return this.#compare(node.op, a, b) ?? this.#unknown();
      default:
        return this.#unknown();
    }
  }

  #all(): Interval {
    return { low: this.#zero, high: this.#length };
  }

  #none(): Interval {
    return { low: this.#zero, high: this.#zero };
  }

  #unknown(): Bounds {
    return { possible: this.#all(), sure: this.#none() };
  }

  /** A condition that is the same for all keys. */
  #ofQueries(node: Node): Bounds {
    const { code } = this.#site;
    const lanes = ofQueries(this.#site, node);
    const join = (op: 'v128.or' | 'v128.and'): Vector =>
      code.let('v128', code.op(op, lanes[0] as Vector, lanes[1] as Vector));
    const any = code.let('i32', code.op('v128.any_true', join('v128.or')));
    const every = code.let('i32', code.op('i32x4.all_true', join('v128.and')));
    const upTo = (condition: Int): Interval => ({
      low: this.#zero,
      high: code.let('i32', code.select('i32', code.get(this.#length), code.i32(0), condition)),
    });
    return { possible: upTo(any), sure: upTo(every) };
  }

  #both(a: Bounds, b: Bounds): Bounds {
    const meet = (one: Interval, other: Interval): Interval => ({
      low: most(this.#site, one.low, other.low),
      high: least(this.#site, one.high, other.high),
    });
    return { possible: meet(a.possible, b.possible), sure: meet(a.sure, b.sure) };
  }

  #either(a: Bounds, b: Bounds): Bounds {
    return { possible: this.#hull(a.possible, b.possible), sure: this.#larger(a.sure, b.sure) };
  }

  /** The least interval around both. */
  #hull(a: Interval, b: Interval): Interval {
    const { code } = this.#site;
    const site = this.#site;
    const pick = (own: Int, other: Int, joined: Int): Int => {
      const emptyA = code.let('i32', code.op('i32.ge_s', a.low, a.high));
      const emptyB = code.let('i32', code.op('i32.ge_s', b.low, b.high));
      const known = code.let('i32', code.select('i32', code.get(own), code.get(joined), emptyB));
      return code.let('i32', code.select('i32', code.get(other), code.get(known), emptyA));
    };
    return {
      low: pick(a.low, b.low, least(site, a.low, b.low)),
      high: pick(a.high, b.high, most(site, a.high, b.high)),
    };
  }

  /** Both together where they touch, else the longer one. */
  #larger(a: Interval, b: Interval): Interval {
    const { code } = this.#site;
    const site = this.#site;
    const length = ({ low, high }: Interval): Int =>
      most(site, code.let('i32', code.op('i32.sub', high, low)), 0);
    const [first, second] = [length(a), length(b)];
    const touch = code.let('i32', code.op('i32.le_s', most(site, a.low, b.low), least(site, a.high, b.high)));
    const some = code.let(
      'i32',
      code.op('i32.and', code.op('i32.ne', first, 0), code.op('i32.ne', second, 0)),
    );
    const joins = code.let('i32', code.op('i32.and', touch, some));
    const firstWins = code.let('i32', code.op('i32.ge_s', first, second));
    const pick = (own: Int, other: Int, joined: Int): Int => {
      const longer = code.let('i32', code.select('i32', code.get(own), code.get(other), firstWins));
      return code.let('i32', code.select('i32', code.get(joined), code.get(longer), joins));
    };
    return {
      low: pick(a.low, b.low, least(site, a.low, b.low)),
      high: pick(a.high, b.high, most(site, a.high, b.high)),
    };
  }

  #not({ possible, sure }: Bounds): Bounds {
    return { possible: this.#outside(sure, true), sure: this.#outside(possible, false) };
  }

  /** What lies outside an interval: exact where that is one interval; else everything (`wide`) or a part. */
  #outside({ low, high }: Interval, wide: boolean): Interval {
    const { code } = this.#site;
    const site = this.#site;
    const empty = code.let('i32', code.op('i32.ge_s', low, high));
    const atStart = code.let('i32', code.op('i32.le_s', low, 0));
    const atEnd = code.let('i32', code.op('i32.ge_s', high, this.#length));
    // From its end on, or up to its start.
    const after: Interval = { low: most(site, high, 0), high: this.#length };
    const before: Interval = { low: this.#zero, high: most(site, low, 0) };
    const otherwise = wide ? this.#all() : before;
    const pick = (side: 'low' | 'high'): Int => {
      const ended = code.let(
        'i32',
        code.select('i32', code.get(before[side]), code.get(otherwise[side]), atEnd),
      );
      const started = code.let('i32', code.select('i32', code.get(after[side]), code.get(ended), atStart));
      return code.let('i32', code.select('i32', code.get(this.#all()[side]), code.get(started), empty));
    };
    return { low: pick('low'), high: pick('high') };
  }

  #compare(op: 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne', a: Node, b: Node): Bounds | null {
    if (op === 'ne') {
      const equal = this.#compare('eq', a, b);
      return equal && this.#not(equal);
    }
    const size = this.#size(op, a, b);
    if (size) return size;
    const [left, right] = [this.#linear(a), this.#linear(b)];
    if (!left || !right) return null;
    const sign = left.sign - right.sign;
    if (sign !== 1 && sign !== -1) return null;
    // sign * key + left.rest op right.rest, so key op t, or t op key.
    const { code } = this.#site;
    const s = simd(this.#site, 2);
    const lanesOf = (node: Node | null): Lanes => (node ? ofQueries(this.#site, node) : s.zero());
    const [low, high] = [lanesOf(left.rest), lanesOf(right.rest)];
    const t = s.variables(sign === 1 ? s.op('i32x4.sub', high, low) : s.op('i32x4.sub', low, high));
    const [least4, most4] = [this.#across(t, 'i32x4.min_s'), this.#across(t, 'i32x4.max_s')];
    const flipped = { lt: 'gt', le: 'ge', gt: 'lt', ge: 'le', eq: 'eq' } as const;
    const bounds = this.#against(sign === 1 ? op : flipped[op], least4, most4);
    const safe = code.let('i32', this.#safe(low));
    const known = code.let('i32', code.op('i32.and', safe, code.let('i32', this.#safe(high))));
    const unknown = this.#unknown();
    const pick = (of: 'possible' | 'sure', side: 'low' | 'high'): Int =>
      code.let('i32', code.select('i32', code.get(bounds[of][side]), code.get(unknown[of][side]), known));
    return {
      possible: { low: pick('possible', 'low'), high: pick('possible', 'high') },
      sure: { low: pick('sure', 'low'), high: pick('sure', 'high') },
    };
  }

  /** |x| compared with what varies along no key, as two comparisons. */
  #size(op: 'lt' | 'le' | 'gt' | 'ge' | 'eq', a: Node, b: Node): Bounds | null {
    if (a.op !== 'abs' || a.type.element !== 'int' || this.#along(b).has('key')) return null;
    const x = a.args[0] as Node;
    const home = graph(asExpr(a));
    const opposite = b.op === 'const' ? constant(home, -b.data.value, 'int') : build(home, 'neg', [b], null);
    if (op === 'lt' || op === 'le') {
      const [upper, lower] = [this.#compare(op, x, b), this.#compare(op === 'lt' ? 'gt' : 'ge', x, opposite)];
      return upper && lower && this.#both(upper, lower);
    }
    if (op === 'gt' || op === 'ge') {
      const [upper, lower] = [this.#compare(op, x, b), this.#compare(op === 'gt' ? 'lt' : 'le', x, opposite)];
      return upper && lower && this.#either(upper, lower);
    }
    return null;
  }

  /** Where key op t, for t between `low` and `high`. */
  #against(op: 'lt' | 'le' | 'gt' | 'ge' | 'eq', low: Int, high: Int): Bounds {
    const site = this.#site;
    const clamp = (of: Int): Int => least(site, most(site, of, 0), this.#length);
    const below = (to: Int): Interval => ({ low: this.#zero, high: clamp(to) });
    const from = (at: Int): Interval => ({ low: clamp(at), high: this.#length });
    switch (op) {
      case 'lt':
        return { possible: below(high), sure: below(low) };
      case 'le':
        return { possible: below(add(site, high, 1)), sure: below(add(site, low, 1)) };
      case 'gt':
        return { possible: from(add(site, low, 1)), sure: from(add(site, high, 1)) };
      case 'ge':
        return { possible: from(low), sure: from(high) };
      case 'eq':
        // Surely equal to all of them only where they are one.
        return {
          possible: { low: clamp(low), high: clamp(add(site, high, 1)) },
          sure: { low: clamp(high), high: clamp(add(site, low, 1)) },
        };
    }
  }

  /** An int as sign * key + rest, the rest varying along no key; null where it is no such sum. */
  #linear(node: Node): { readonly sign: number; readonly rest: Node | null } | null {
    if (node.type.element !== 'int' || node.type.dims.length > 0) return null;
    if (!this.#along(node).has('key')) return { sign: 0, rest: node };
    if (node.op === 'input') return node.data.name === axisNames[4] ? { sign: 1, rest: null } : null;
    if (node.op !== 'add' && node.op !== 'sub' && node.op !== 'neg') return null;
    const parts = node.args.map((arg) => this.#linear(arg));
    if (parts.includes(null)) return null;
    const [a, b] = parts as { readonly sign: number; readonly rest: Node | null }[];
    const home = graph(asExpr(node));
    const negative = (rest: Node | null): Node | null => rest && build(home, 'neg', [rest], null);
    if (node.op === 'neg') return { sign: -(a?.sign as number), rest: negative(a?.rest ?? null) };
    const minus = node.op === 'sub';
    const sign = (a?.sign as number) + (minus ? -1 : 1) * (b?.sign as number);
    const [left, right] = [a?.rest ?? null, b?.rest ?? null];
    if (!right) return { sign, rest: left };
    if (!left) return { sign, rest: minus ? negative(right) : right };
    return { sign, rest: build(home, minus ? 'sub' : 'add', [left, right], null) };
  }

  /** Whether ints are far enough from wrapping in all lanes. */
  #safe(lanes: Lanes): ReturnType<Site['code']['i32']> {
    const { code } = this.#site;
    const s = simd(this.#site, 2);
    const fits = s.variables(s.op('i32x4.le_u', s.op('i32x4.add', lanes, s.int(SAFE)), s.int(2 * SAFE)));
    return code.op(
      'i32x4.all_true',
      code.let('v128', code.op('v128.and', fits[0] as Vector, fits[1] as Vector)),
    );
  }

  #across(lanes: Lanes, op: 'i32x4.min_s' | 'i32x4.max_s'): Int {
    const { code } = this.#site;
    const one = code.let('v128', code.op(op, lanes[0] as Vector, lanes[1] as Vector));
    const two = code.let('v128', code.op(op, one, code.let('v128', code.shuffle([2, 3, 0, 1], one, one))));
    const all = code.let('v128', code.op(op, two, code.let('v128', code.shuffle([1, 0, 3, 2], two, two))));
    return code.let('i32', code.lane('i32x4.extract_lane', 0, all));
  }
}
