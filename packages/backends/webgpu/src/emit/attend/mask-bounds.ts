// What a mask says of a whole tile: whether any of its pairs may be allowed, and whether all surely are. Interval
// arithmetic over ints, written as WGSL scalars that are the same in the whole workgroup, so that tiles can be skipped.
//
// Understood are comparisons of places, lengths, uniforms and inputs along batch and head, and what is made of them by
// + - * abs, minimum, maximum, floorDiv, mod, select and logic. Of anything else nothing is known: the pairs are then looked at.

import { asNode, type Expr, type Node, reachable } from '@heed/expr';
import { int } from '../lanes.ts';
import type { Code, ShaderWriter } from '../shader.ts';
import { isAxis, isLength } from './axes.ts';
import { isScalar } from './formulas.ts';
import { type Box, exact, FAR, type Span, Spans } from './spans.ts';

/** Bools: whether it can be true, and whether it is. */
export interface Truth {
  readonly possible: string;
  readonly sure: string;
}

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
  readonly #ints = new Map<string, Span>();
  readonly #bools = new Map<string, Truth>();
  #safe = 'true';

  /** Writes what is the same for all tiles. */
  constructor(shader: ShaderWriter, code: Code, mask: Expr, fixed: Fixed) {
    this.#shader = shader;
    this.#code = code;
    this.#mask = asNode(mask);
    const tests: string[] = [];
    for (const node of reachable([this.#mask])) {
      if (node.op !== 'input' || isAxis(node.data.name) || !isScalar(node)) continue;
      const { name } = node.data;
      const value = node.type.element === 'float' ? null : fixed.read(name);
      if (value === null) continue;
      if (node.type.element === 'bool') {
        this.#bools.set(name, { possible: value, sure: value });
        continue;
      }
      const at = code.let(name, value);
      this.#ints.set(name, exact(at));
      if (!isLength(name)) tests.push(`abs(${at}) < ${int(FAR)}`, `${at} > ${int(-FAR)}`);
    }
    if (tests.length > 0) this.#safe = code.let('safe', tests.join(' && '));
  }

  /** Whether any pair of the tile can be allowed, and whether all are: two bools, the same in all of a workgroup. */
  of(box: Box): Truth {
    const reader = new Truths(this.#shader, this.#code, box, this.#ints, this.#bools);
    const { possible, sure } = reader.truth(this.#mask);
    if (this.#safe === 'true') return { possible, sure };
    return {
      possible: possible === 'true' ? possible : `(!${this.#safe} || ${possible})`,
      sure: sure === 'false' ? sure : `(${this.#safe} && ${sure})`,
    };
  }
}

/** Writes what conditions can be within a box. */
class Truths extends Spans {
  readonly #code: Code;
  readonly #bools: ReadonlyMap<string, Truth>;

  constructor(
    shader: ShaderWriter,
    code: Code,
    box: Box,
    ints: ReadonlyMap<string, Span>,
    bools: ReadonlyMap<string, Truth>,
  ) {
    super(shader, code, box, ints);
    this.#code = code;
    this.#bools = bools;
  }

  truth(node: Node): Truth {
    const [a, b, c] = node.args as readonly [Node, Node, Node];
    switch (node.op) {
      case 'const':
        return node.data.value === 0 ? never : always;
      case 'input':
        return this.#bools.get(node.data.name) ?? unknown;
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
}
