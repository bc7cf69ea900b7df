// Intervals of ints over a tile of pairs, as WGSL scalars that are the same in a whole workgroup.

import type { Node } from '@heed/expr';
import { int } from '../lanes.ts';
import { floorDivInt, modInt } from '../math/division.ts';
import type { Code, ShaderWriter } from '../shader.ts';

/** Ints from `low` to `high`, both included: names or literals of i32. `most` bounds their size. */
export interface Span {
  readonly low: string;
  readonly high: string;
  readonly most: number;
}

/** Places, lengths, uniforms and inputs are taken as ints below this; a call beyond it has no bounds. */
export const FAR = 2 ** 24;

/** What the ends of a box are, for one tile: the span of each place. */
export type Box = Readonly<Record<string, Span>>;

export const exact = (at: string, most = FAR): Span => ({ low: at, high: at, most });
const isExact = ({ low, high }: Span): boolean => low === high;
/** Writes the spans of ints: what nodes can be within a box. */
export class Spans {
  readonly #shader: ShaderWriter;
  readonly #code: Code;
  readonly #box: Box;
  readonly #fixed: ReadonlyMap<string, Span>;
  readonly #spans = new Map<Node, Span | null>();

  constructor(shader: ShaderWriter, code: Code, box: Box, fixed: ReadonlyMap<string, Span>) {
    this.#shader = shader;
    this.#code = code;
    this.#box = box;
    this.#fixed = fixed;
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
      case 'input':
        return (
          (Object.hasOwn(this.#box, node.data.name)
            ? this.#box[node.data.name]
            : this.#fixed.get(node.data.name)) ?? null
        );
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
