// A formula language for people, and the way back from print(): text to an expression, without evaluating any code.

import { type Argument, call, callable } from './call.ts';
import { ExpressionError } from './error.ts';
import { constant } from './infer.ts';
import { onFloats } from './meaning.ts';
import { near } from './near.ts';
import { asExpr, type Expr, type Graph, graph, isExpr } from './node.ts';
import type { ArithmeticBinary, Comparison } from './op.ts';
import { words } from './print.ts';
import { problem, type Token, tokenize } from './token.ts';

/** Deepest nesting of brackets, signs and branches that is read. */
const DEEPEST = 256;

const sums: ReadonlyMap<string, ArithmeticBinary> = new Map([
  ['+', 'add'],
  ['-', 'sub'],
]);
const products: ReadonlyMap<string, ArithmeticBinary> = new Map([
  ['*', 'mul'],
  ['/', 'div'],
]);
const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ['<', 'lt'],
  ['<=', 'le'],
  ['>', 'gt'],
  ['>=', 'ge'],
  ['==', 'eq'],
  ['!=', 'ne'],
]);
const literals: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
]);

/** What a part of a formula is: a numeral that has no kind yet, a numeral marked as an int, or an expression. */
type Part = number | { readonly int: number } | Expr;

/**
 * Reads a formula: `s = dot(left, right) / sqrt(size('feature')); if s > cap then cap else s`.
 *
 * - numbers (`3i` is an int for certain, `3` becomes one where it meets one), `true`, `false`, names of the scope
 *   (in backticks if they are no plain words), texts for dims in quotes
 * - `+ - * / ^`, unary minus, `< <= > >= == !=`, `and or not`, `if a then b else c`, brackets
 * - calls of every function an author has, by its name
 * - `name = expression;` any number of times before the expression that is the result
 *
 * parse(print(e), its inputs) is e again. Only own properties of the scope are names, so `constructor` is unknown.
 *
 * @param scope names and what they stand for; one of them at least is an expression, and the result is built in its graph.
 * @throws ExpressionError with line, column and the place marked; for a formula longer than a million characters or
 *   nested deeper than 256.
 */
export function parse(text: string, scope: Readonly<Record<string, Expr | number>>): Expr {
  const home = homeOf(scope);
  return new Parser(text, scope, home).formula();
}

function homeOf(scope: Readonly<Record<string, Expr | number>>): Graph {
  const named = Object.values(scope).find((one) => typeof one === 'object');
  if (named === undefined) {
    throw new ExpressionError(
      'parse: expected a scope with at least one expression, got none: there is no graph to build in.',
    );
  }
  return graph(named);
}

class Parser {
  readonly #text: string;
  readonly #scope: Readonly<Record<string, Expr | number>>;
  readonly #home: Graph;
  readonly #tokens: readonly Token[];
  readonly #bound = new Map<string, Part>();
  #next = 0;
  #depth = 0;

  constructor(text: string, scope: Readonly<Record<string, Expr | number>>, home: Graph) {
    this.#text = text;
    this.#scope = scope;
    this.#home = home;
    this.#tokens = tokenize(text);
  }

  /** Bindings, then the result. */
  formula(): Expr {
    while (this.#peek().kind === 'name' && this.#peek(1).text === '=' && this.#peek(1).kind === 'symbol') {
      const { text: name, at } = this.#take();
      if (words.has(name)) throw this.#wrong(at, `expected a name to bind, got the word "${name}".`);
      if (this.#bound.has(name))
        throw this.#wrong(at, `"${name}" is bound already; expected each name once.`);
      this.#take();
      const value = this.#expression();
      this.#expect(';');
      this.#bound.set(name, value);
    }
    const result = this.#settled(this.#expression());
    this.#accept(';');
    const { kind, at } = this.#peek();
    if (kind !== 'end')
      throw this.#wrong(at, `expected an operator or the end, got ${this.#shown()}.${this.#chained()}`);
    return typeof result === 'number' ? asExpr(constant(this.#home, result)) : result;
  }

  #expression(): Part {
    return this.#nested(() => {
      if (!this.#accept('if')) return this.#or();
      const { at } = this.#tokens[this.#next - 1] as Token;
      const condition = this.#expression();
      this.#expect('then');
      const then = this.#expression();
      this.#expect('else');
      return this.#call('select', [condition, then, this.#expression()], at);
    });
  }

  #or(): Part {
    let left = this.#and();
    for (let at = this.#accept('or'); at; at = this.#accept('or'))
      left = this.#call('or', [left, this.#and()], at.at);
    return left;
  }

  #and(): Part {
    let left = this.#not();
    for (let at = this.#accept('and'); at; at = this.#accept('and'))
      left = this.#call('and', [left, this.#not()], at.at);
    return left;
  }

  #not(): Part {
    // Before a bracket it may be the call not(a) or the word before (a) < (b): the word covers both.
    const word = this.#accept('not');
    return word ? this.#nested(() => this.#call('not', [this.#not()], word.at)) : this.#comparison();
  }

  #comparison(): Part {
    const left = this.#chain(sums, () => this.#chain(products, () => this.#unary()));
    const op = this.#operator(comparisons);
    if (!op) return left;
    return this.#call(
      op.name,
      [left, this.#chain(sums, () => this.#chain(products, () => this.#unary()))],
      op.at,
    );
  }

  #chain(operators: ReadonlyMap<string, ArithmeticBinary>, operand: () => Part): Part {
    let left = operand();
    for (let op = this.#operator(operators); op; op = this.#operator(operators)) {
      left = this.#arithmetic(op.name, left, operand(), op.at);
    }
    return left;
  }

  // -a^2 is -(a^2), and 2^-1 is read.
  #unary(): Part {
    const minus = this.#accept('-');
    if (!minus) return this.#power();
    const of = this.#nested(() => this.#unary());
    if (typeof of === 'number') return -of;
    return 'int' in of ? { int: -of.int } : this.#call('neg', [of], minus.at);
  }

  #power(): Part {
    const base = this.#primary();
    const power = this.#accept('^');
    return power
      ? this.#arithmetic(
          'pow',
          base,
          this.#nested(() => this.#unary()),
          power.at,
        )
      : base;
  }

  /** Between numerals an operator is ordinary arithmetic: in `i + 1 / 2` the half has yet to find its kind. */
  #arithmetic(op: ArithmeticBinary, left: Part, right: Part, at: number): Part {
    if (typeof left === 'number' && typeof right === 'number') return onFloats[op](left, right);
    return this.#call(op, [left, right], at);
  }

  #primary(): Part {
    const token = this.#take();
    const { kind, text, at } = token;
    if (kind === 'number') return Number(text);
    if (kind === 'int') return { int: Number(text) };
    if (kind === 'quoted') return this.#inScope(text, at);
    if (kind === 'symbol' && text === '(') {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (kind !== 'name')
      throw this.#wrong(at, `expected a number, a name or "(", got ${this.#shown(token)}.`);
    if (text === 'true' || text === 'false')
      return asExpr(constant(this.#home, text === 'true' ? 1 : 0, 'bool'));
    const literal = literals.get(text);
    if (literal !== undefined) return literal;
    if (this.#peek().text === '(' && this.#peek().kind === 'symbol') return this.#called(text, at);
    if (words.has(text)) throw this.#wrong(at, `expected a number, a name or "(", got the word "${text}".`);
    return this.#bound.get(text) ?? this.#inScope(text, at);
  }

  #called(name: string, at: number): Part {
    if (!callable.has(name)) {
      const known = this.#bound.has(name) || Object.hasOwn(this.#scope, name);
      const hint = known ? ' It is a value: a table is read with at(table, index).' : guess(name, callable);
      throw this.#wrong(at, `expected a function, got "${name}".${hint}`);
    }
    this.#take();
    const args: (Part | { readonly text: string })[] = [];
    while (!this.#accept(')')) {
      if (args.length > 0) this.#expect(',');
      args.push(this.#peek().kind === 'text' ? { text: this.#take().text } : this.#expression());
    }
    return this.#call(name, args, at);
  }

  #inScope(name: string, at: number): Part {
    if (Object.hasOwn(this.#scope, name)) {
      const value = this.#scope[name];
      if (typeof value === 'number' || isExpr(value)) return value;
      throw this.#wrong(
        at,
        `expected "${name}" to stand for an expression or a number, got ${typeof value}.`,
      );
    }
    const known = [...this.#bound.keys(), ...Object.keys(this.#scope)];
    const hint = callable.has(name) ? ` It is a function: write ${name}(...).` : guess(name, known);
    throw this.#wrong(at, `expected one of the names ${list(known)}, got "${name}".${hint}`);
  }

  #call(name: string, given: readonly (Part | { readonly text: string })[], at: number): Expr {
    try {
      const args = given.map(
        (one): Argument => (typeof one === 'object' && 'text' in one ? one : this.#settled(one)),
      );
      return call(this.#home, name, args);
    } catch (error) {
      if (error instanceof ExpressionError) throw this.#wrong(at, error.message, error);
      throw error;
    }
  }

  #settled = (part: Part): number | Expr =>
    typeof part === 'object' && 'int' in part ? asExpr(constant(this.#home, part.int, 'int')) : part;

  #nested<T>(read: () => T): T {
    if (++this.#depth > DEEPEST) {
      throw this.#wrong(
        this.#peek().at,
        `expected at most ${DEEPEST} levels of nesting. Bind parts of it: name = ...;`,
      );
    }
    const result = read();
    this.#depth--;
    return result;
  }

  #peek = (ahead = 0): Token => this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #accept(text: string): Token | undefined {
    const token = this.#peek();
    return (token.kind === 'symbol' || token.kind === 'name') && token.text === text
      ? this.#take()
      : undefined;
  }

  #expect(text: string): void {
    if (!this.#accept(text))
      throw this.#wrong(this.#peek().at, `expected "${text}", got ${this.#shown()}.${this.#chained()}`);
  }

  #operator<O extends string>(operators: ReadonlyMap<string, O>): { name: O; at: number } | undefined {
    const { kind, text, at } = this.#peek();
    const name = kind === 'symbol' ? operators.get(text) : undefined;
    if (name) this.#take();
    return name && { name, at };
  }

  #shown = ({ kind, text }: Token = this.#peek()): string => (kind === 'end' ? text : `"${text}"`);

  #chained(): string {
    const { kind, text } = this.#peek();
    if (kind !== 'symbol') return '';
    if (text === '=') return ' Equality is written ==.';
    return comparisons.has(text) ? ' Comparisons do not chain: write a < b and b < c.' : '';
  }

  #wrong(at: number, text: string, cause?: unknown): ExpressionError {
    return problem(this.#text, at, text, cause);
  }
}

const guess = (name: string, known: Iterable<string>): string => {
  const names = near(name, known);
  return names.length === 0 ? '' : ` Did you mean ${names.map((one) => `"${one}"`).join(' or ')}?`;
};

const list = (names: readonly string[]): string =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')}, ... (${names.length} in all)` : names.join(', ');
