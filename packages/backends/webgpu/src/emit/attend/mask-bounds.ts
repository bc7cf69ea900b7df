// What a mask says of a whole tile: whether any of its pairs may be allowed, and whether all surely are. Interval
// arithmetic over ints, written as WGSL scalars that are the same in the whole workgroup, so that tiles can be skipped.
//
// Understood are comparisons of places, lengths, uniforms and inputs along batch and head, and what is made of them by
// + - * abs, minimum, maximum, floorDiv, mod, select and logic. Of anything else nothing is known: the pairs are then looked at.

import { asNode, type Expr, type Node } from '@heed/expr';
import { int } from '../lanes.ts';
import { floorDivInt, modInt } from '../math/division.ts';
import type { Code, ShaderWriter } from '../shader.ts';
import { isAxis, isLength } from './axes.ts';

/** Ints from `low` to `high`, both included: names or literals of i32. `most` bounds their size. */
export interface Span {
  readonly low: string;
  readonly high: string;
  readonly most: number;
}

/** Bools: whether it can be true, and whether it is. */
export interface Truth {
  readonly possible: string;
  readonly sure: string;
}

/** Places, lengths, uniforms and inputs are taken as ints below this; a call beyond it has no bounds. */
export const FAR = 2 ** 24;

/** What the ends of a box are, for one tile: the span of each place. */
export type Box = Readonly<Record<string, Span>>;

const exact = (at: string, most = FAR): Span => ({ low: at, high: at, most });
const isExact = ({ low, high }: Span): boolean => low === high;
const unknown: Truth = { possible: 'true', sure: 'false' };
const always: Truth = { possible: 'true', sure: 'true' };
const never: Truth = { possible: 'false', sure: 'false' };

/** Reads numbers that are the same in all of a workgroup; null for others. */
export interface Fixed {
  /** An i32, or a bool. */
  read(name: string): string | null;
}

export class MaskBounds {
  readonly #shader: ShaderWriter;
  readonly #code: Code;
  readonly #mask: Node;
  readonly #fixed = new Map<string, Span | Truth | null>();
  #safe = 'true';

  /** Writes what is the same for all tiles. */
  constructor(shader: ShaderWriter, code: Code, mask: Expr, fixed: Fixed) {
    this.#shader = shader;
    this.#code = code;
    this.#mask = asNode(mask);
    const inputs: Node[] = [];
    const stack = [this.#mask];
    const seen = new Set<Node>();
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      if (node.op === 'input' && !isAxis(node.data.name)) inputs.push(node);
      stack.push(...node.args);
    }
    const tests: string[] = [];
    for (const node of inputs) {
      if (node.op !== 'input' || node.type.dims.length > 0 || node.type.lookups > 0) continue;
      const { name } = node.data;
      const value = node.type.element === 'float' ? null : fixed.read(name);
      if (value === null) continue;
      if (node.type.element === 'bool') {
        this.#fixed.set(name, { possible: value, sure: value });
        continue;
      }
      const at = code.let(name, value);
      this.#fixed.set(name, exact(at));
      if (!isLength(name)) tests.push(`abs(${at}) < ${int(FAR)}`, `${at} > ${int(-FAR)}`);
    }
    if (tests.length > 0) this.#safe = code.let('safe', tests.join(' && '));
  }

  /** Whether any pair of the tile can be allowed, and whether all are: two bools, the same in all of a workgroup. */
  of(box: Box): Truth {
    const reader = new Reader(this.#shader, this.#code, box, this.#fixed);
    const { possible, sure } = reader.truth(this.#mask);
    if (this.#safe === 'true') return { possible, sure };
    return {
      possible: possible === 'true' ? possible : `(!${this.#safe} || ${possible})`,
      sure: sure === 'false' ? sure : `(${this.#safe} && ${sure})`,
    };
  }
}

class Reader {
  readonly #shader: ShaderWriter;
  readonly #code: Code;
  readonly #box: Box;
  readonly #fixed: ReadonlyMap<string, Span | Truth | null>;
  readonly #spans = new Map<Node, Span | null>();

  constructor(shader: ShaderWriter, code: Code, box: Box, fixed: ReadonlyMap<string, Span | Truth | null>) {
    this.#shader = shader;
    this.#code = code;
    this.#box = box;
    this.#fixed = fixed;
  }

  truth(node: Node): Truth {
    const [a, b, c] = node.args as readonly [Node, Node, Node];
    switch (node.op) {
      case 'const':
        return node.data.value === 0 ? never : always;
      case 'input': {
        const known = this.#fixed.get(node.data.name);
        return known && 'sure' in known ? known : unknown;
      }
      case 'and':
        return this.#join('&', this.truth(a), this.truth(b));
      case 'or':
        return this.#join('|', this.truth(a), this.truth(b));
      case 'not':
        return this.#not(this.truth(a));
      case 'select': {
        const condition = this.truth(a);
        const [then, otherwise] = [this.truth(b), this.truth(c)];
        const opposite = this.#not(condition);
        return this.#join('|', this.#join('&', condition, then), this.#join('&', opposite, otherwise));
      }
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
      case 'eq':
      case 'ne':
        return this.#compare(node.op, a, b);
      default:
        return unknown;
    }
  }

  #not({ possible, sure }: Truth): Truth {
    const opposite = (of: string): string => (of === 'true' ? 'false' : of === 'false' ? 'true' : `!${of}`);
    return { possible: opposite(sure), sure: opposite(possible) };
  }

  #join(op: '&' | '|', a: Truth, b: Truth): Truth {
    // The one that decides, and the one that changes nothing.
    const [strong, weak] = op === '&' ? ['false', 'true'] : ['true', 'false'];
    const both = (left: string, right: string): string => {
      if (left === strong || right === strong) return strong as string;
      if (left === weak) return right;
      if (right === weak) return left;
      return this.#code.let('bound', `${left} ${op} ${right}`);
    };
    return { possible: both(a.possible, b.possible), sure: both(a.sure, b.sure) };
  }

  #compare(op: 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne', left: Node, right: Node): Truth {
    if (op === 'ne') return this.#not(this.#compare('eq', left, right));
    const [a, b] = [this.span(left), this.span(right)];
    if (!a || !b) return unknown;
    const test = (text: string): string => this.#code.let('bound', text);
    switch (op) {
      case 'lt':
        return { possible: test(`${a.low} < ${b.high}`), sure: test(`${a.high} < ${b.low}`) };
      case 'le':
        return { possible: test(`${a.low} <= ${b.high}`), sure: test(`${a.high} <= ${b.low}`) };
      case 'gt':
        return { possible: test(`${a.high} > ${b.low}`), sure: test(`${a.low} > ${b.high}`) };
      case 'ge':
        return { possible: test(`${a.high} >= ${b.low}`), sure: test(`${a.low} >= ${b.high}`) };
      case 'eq':
        return {
          possible: test(`${a.low} <= ${b.high} && ${b.low} <= ${a.high}`),
          sure: test(`${a.low} == ${b.high} && ${b.low} == ${a.high}`),
        };
    }
  }

  span(node: Node): Span | null {
    const known = this.#spans.get(node);
    if (known !== undefined) return known;
    const made = node.type.dims.length > 0 || node.type.lookups > 0 ? null : this.#span(node);
    // Sums that could wrap are not the numbers that their spans say.
    const fits = made && made.most < 2 ** 31 ? made : null;
    this.#spans.set(node, fits);
    return fits;
  }

  #span(node: Node): Span | null {
    const args = node.args.map((arg) =>
      node.op === 'select' && arg === node.args[0] ? null : this.span(arg),
    );
    const [a = null, b = null] = args;
    switch (node.op) {
      case 'const':
        return node.type.element === 'int'
          ? exact(int(node.data.value), Math.abs(node.data.value))
          : Number.isInteger(node.data.value) && Math.abs(node.data.value) < FAR
            ? exact(int(node.data.value), Math.abs(node.data.value))
            : null;
      case 'input': {
        if (Object.hasOwn(this.#box, node.data.name)) return this.#box[node.data.name] as Span;
        const fixed = this.#fixed.get(node.data.name);
        return fixed && 'low' in fixed ? fixed : null;
      }
      // Ints that a float holds exactly compare as they do.
      case 'toFloat':
        return a && node.args[0]?.type.element === 'int' && a.most <= FAR ? a : null;
      case 'neg':
        return a && this.#ints(node) ? this.#make(`-(${a.high})`, `-(${a.low})`, a.most, isExact(a)) : null;
      case 'abs': {
        if (!a || !this.#ints(node)) return null;
        if (isExact(a)) return this.#make(`abs(${a.low})`, '', a.most, true);
        return this.#make(
          `max(max(${a.low}, -(${a.high})), 0)`,
          `max(-(${a.low}), ${a.high})`,
          a.most,
          false,
        );
      }
      case 'add':
        return a && b && this.#ints(node)
          ? this.#make(
              `${a.low} + ${b.low}`,
              `${a.high} + ${b.high}`,
              a.most + b.most,
              isExact(a) && isExact(b),
            )
          : null;
      case 'sub':
        return a && b && this.#ints(node)
          ? this.#make(
              `${a.low} - ${b.high}`,
              `${a.high} - ${b.low}`,
              a.most + b.most,
              isExact(a) && isExact(b),
            )
          : null;
      case 'mul':
        return a && b && this.#ints(node) ? this.#product(a, b) : null;
      case 'minimum':
      case 'maximum': {
        const of = node.op === 'minimum' ? 'min' : 'max';
        return a && b && this.#ints(node)
          ? this.#make(
              `${of}(${a.low}, ${b.low})`,
              `${of}(${a.high}, ${b.high})`,
              Math.max(a.most, b.most),
              isExact(a) && isExact(b),
            )
          : null;
      }
      case 'floorDiv':
        return a && b && isExact(b) && this.#ints(node) ? this.#quotient(a, b) : null;
      case 'mod':
        return a && b && isExact(b) && this.#ints(node) ? this.#rest(a, b) : null;
      case 'select': {
        const [then, otherwise] = [this.span(node.args[1] as Node), this.span(node.args[2] as Node)];
        if (!then || !otherwise) return null;
        return this.#make(
          `min(${then.low}, ${otherwise.low})`,
          `max(${then.high}, ${otherwise.high})`,
          Math.max(then.most, otherwise.most),
          false,
        );
      }
      default:
        return null;
    }
  }

  #ints(node: Node): boolean {
    return node.type.element === 'int';
  }

  #make(low: string, high: string, most: number, same: boolean): Span {
    // Beyond this the numbers would wrap and are not asked for.
    if (most >= 2 ** 31) return { low: '0', high: '0', most };
    const from = this.#code.let('low', low);
    return { low: from, high: same ? from : this.#code.let('high', high), most };
  }

  #product(a: Span, b: Span): Span {
    const most = a.most * b.most;
    if (isExact(a) && isExact(b)) return this.#make(`${a.low} * ${b.low}`, '', most, true);
    const corners = [
      `${a.low} * ${b.low}`,
      `${a.low} * ${b.high}`,
      `${a.high} * ${b.low}`,
      `${a.high} * ${b.high}`,
    ];
    const all = (of: 'min' | 'max'): string =>
      `${of}(${of}(${corners[0]}, ${corners[1]}), ${of}(${corners[2]}, ${corners[3]}))`;
    return this.#make(all('min'), all('max'), most, false);
  }

  /** Quotients by one divisor rise or fall with the dividend. */
  #quotient(a: Span, b: Span): Span {
    const of = (at: string): string => `${this.#shader.use(floorDivInt(1))}(${at}, ${b.low})`;
    if (isExact(a)) return this.#make(of(a.low), '', a.most, true);
    const [first, last] = [this.#code.let('first', of(a.low)), this.#code.let('last', of(a.high))];
    return this.#make(`min(${first}, ${last})`, `max(${first}, ${last})`, a.most, false);
  }

  /** Within one period of the divisor rests rise by one with the dividend. */
  #rest(a: Span, b: Span): Span {
    const of = (at: string): string => `${this.#shader.use(modInt(1))}(${at}, ${b.low})`;
    if (isExact(a)) return this.#make(of(a.low), '', b.most, true);
    const period = (at: string): string => `${this.#shader.use(floorDivInt(1))}(${at}, ${b.low})`;
    const one = this.#code.let('period', `${b.low} != 0 && ${period(a.low)} == ${period(a.high)}`);
    return this.#make(
      `select(min(${b.low} + 1, 0), ${of(a.low)}, ${one})`,
      `select(max(${b.low} - 1, 0), ${of(a.high)}, ${one})`,
      b.most,
      false,
    );
  }
}
