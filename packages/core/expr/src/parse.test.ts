import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expression, hostile } from './arbitraries.fixture.ts';
import { evaluate } from './evaluate.ts';
import { constant, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph } from './node.ts';
import { arity, type Op } from './op.ts';
import { parse } from './parse.ts';
import { print } from './print.ts';
import { bool, index, mat, scalar, table, vec } from './type.ts';
import { inputsOf } from './walk.ts';

const home = new Graph();
const scope = {
  x: asExpr(input(home, 'x', scalar)),
  y: asExpr(input(home, 'y', scalar)),
  i: asExpr(input(home, 'i', index)),
  p: asExpr(input(home, 'p', bool)),
  left: asExpr(input(home, 'left', vec('n'))),
  right: asExpr(input(home, 'right', vec('n'))),
  w: asExpr(input(home, 'w', mat('m', 'n'))),
  bias: asExpr(input(home, 'bias', table(1))),
  half: 0.5,
  three: 3,
  'two words': asExpr(input(home, 'two words', scalar)),
};
const read = (text: string): string => print(parse(text, scope));
const refused = (text: string): string => {
  try {
    parse(text, scope);
  } catch (error) {
    return (error as Error).message;
  }
  return 'read';
};

describe('parse', () => {
  it.each([
    ['1 + x * 2 - y / 4', 'sub(add(1, mul(x, 2)), div(y, 4))'],
    ['x - y - x', 'sub(sub(x, y), x)'],
    ['-x^2', 'neg(pow(x, 2))'],
    ['x^-2', 'pow(x, -2)'],
    ['x^y^2', 'pow(x, pow(y, 2))'],
    ['-(x + y) * -2', 'mul(neg(add(x, y)), -2)'],
    ['x < y and not p or x == 1', 'or(and(lt(x, y), not(p)), eq(x, 1))'],
    ['not x < y', 'not(lt(x, y))'],
    ['not(x < y) and p', 'and(not(lt(x, y)), p)'],
    ['and(p, x < y, p)', 'and(and(p, lt(x, y)), p)'],
    ['if x > 0 then x else if p then 1 else -x', 'select(gt(x, 0), x, select(p, 1, neg(x)))'],
    ['select(p, 1, 0)', 'select(p, 1, 0)'],
    ['(if p then 1 else 2) + x', 'add(select(p, 1, 2), x)'],
    ['dot(left, tanh(left + right))', 'dot(left, tanh(add(left, right)))'],
    ['sum(matvec(w, left))', 'sum(matvec(w, left))'],
    ["dot(left, right) / sqrt(size('n'))", "div(dot(left, right), sqrt(size('n')))"],
    ["sum(slice(left, '0', '2'))", "sum(slice(left, '0', '2'))"],
    ["slice(w, 1, '0', '2')", "slice(w, 1, '0', '2')"],
    ['at(bias, i - 3)', 'at(bias, sub(i, 3i))'],
    ['at(bias, 3)', 'at(bias, 3i)'],
    ['i + 1 / 2', 'add(toFloat(i), 0.5)'],
    ['i + (1 + 2)', 'add(i, 3i)'],
    ['i * x', 'mul(toFloat(i), x)'],
    ['i >= 3i', 'ge(i, 3i)'],
    ['toFloat(i) + half', 'add(toFloat(i), 0.5)'],
    ['i + three', 'add(i, 3i)'],
    ['square(x)', 'mul(x, x)'],
    ['relu(3)', 'maximum(3, 0)'],
    ['gelu(x)', 'mul(mul(x, 0.5), add(erf(mul(x, 0.7071067811865476)), 1))'],
    ['random(i, 0, 1, 2)', 'random(i, 0i, 1i, 2i)'],
    ['s = x + y; s * s', 't1 = add(x, y); mul(t1, t1)'],
    ['s = 2 ; s^s * x;', 'mul(4, x)'],
    ['x = y; x', 'y'],
    ['x = y; `x`', 'x'],
    ['`two words` + 1', 'add(`two words`, 1)'],
    ['2', '2'],
    ['true', 'true'],
    ['-Infinity', '-Infinity'],
    ['-3i', '-3i'],
    ['-2147483648i', '-2147483648i'],
    ['.5e-3 * x', 'mul(0.0005, x)'],
    ['\n\tx\n', 'x'],
    ['-0', '-0'],
  ])('reads %s', (text, expected) => expect(read(text)).toBe(expected));

  const roundTrip = (root: Expr): void => {
    const inputs = Object.fromEntries(
      inputsOf([root]).map((node) => [node.data.name, asExpr(asNode(node as Expr))]),
    );
    // An expression without inputs lends the scope its graph.
    expect(parse(print(root), { 'the root': root, ...inputs })).toBe(root);
  };

  it('reads back what print writes, as the same object', () => {
    fc.assert(
      fc.property(expression({ literals: hostile, depth: 5 }), ({ root }) => roundTrip(root)),
      { numRuns: 500 },
    );
    fc.assert(fc.property(expression({ result: 'mat', depth: 5 }), ({ root }) => roundTrip(root)));
  });

  it('reads back every input name', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme' }),
          fc.constantFrom('t1', 'not', '__proto__', 'NaN', '`', "'", '"', '\\'),
        ),
        (name) => {
          const graph = new Graph();
          const root = asExpr(input(graph, name, scalar));
          const own = Object.defineProperty({}, name, { value: root, enumerable: true });
          expect(parse(print(root), own)).toBe(root);
        },
      ),
    );
  });

  it('reads back a chain deeper than any stack', () => {
    const graph = new Graph();
    let text = 'x';
    for (let i = 0; i < 50; i++) text = `neg(exp(${text}))`;
    const x = asExpr(input(graph, 'x', scalar));
    let deep = parse(text, { x });
    for (let i = 0; i < 100; i++) deep = parse('exp(neg(exp(neg(y))))', { y: deep });
    expect(parse(print(deep), { x })).toBe(deep);
  });

  it('reads a formula or raises an ExpressionError, for any text', () => {
    const pieces = fc.constantFrom(
      'x',
      'y',
      'i',
      'p',
      'left',
      'w',
      '+',
      '-',
      '*',
      '/',
      '^',
      '(',
      ')',
      ',',
      ';',
      '=',
      '==',
      '<',
      'and',
      'or',
      'not',
      'if',
      'then',
      'else',
      'tanh',
      'sum',
      'dot',
      'slice',
      'at',
      'bias',
      "'n'",
      '3',
      '3i',
      '0.5',
      'true',
      'NaN',
      'constructor',
      '`',
      '&',
      '\n',
      'é',
      '"',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const message = refused(parts.join(' '));
        expect(message === 'read' || message.startsWith('parse: line ')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('means what JavaScript means by the same arithmetic', () => {
    const numeral = fc.integer({ min: 0, max: 9 }).map(String);
    const { arithmetic } = fc.letrec<Record<'arithmetic', string>>((tie) => ({
      arithmetic: fc.oneof(
        { maxDepth: 5 },
        numeral,
        fc
          .tuple(tie('arithmetic'), fc.constantFrom('+', '-', '*', '/', '<='), tie('arithmetic'))
          .map(([a, op, b]) => (op === '<=' ? `(if ${a} ${op} ${b} then 1 else 0)` : `${a} ${op} ${b}`)),
        tie('arithmetic').map((a) => `(${a})`),
        tie('arithmetic').map((a) => `-(${a})`),
      ),
    }));
    fc.assert(
      fc.property(arithmetic, (text) => {
        const inJavaScript = text.replaceAll('if', '').replaceAll('then', '?').replaceAll('else', ':');
        const expected = new Function(`return ${inJavaScript}`)() as number;
        expect(evaluate(parse(text, scope))).toBe(expected);
      }),
    );
  });

  it('can call every op that a formula can hold', () => {
    const ops = Object.keys(arity).filter((op) => !['const', 'input', 'not'].includes(op)) as Op[];
    for (const op of ops)
      expect(refused(`${op}()`)).toMatch(new RegExp(`expected ${op}\\(.*got 0 arguments`));
  });

  describe('refuses', () => {
    it('and shows where', () => {
      expect(refused('x +\n  tanh(y z)')).toBe(
        'parse: line 2, column 10: expected ",", got "z".\n    tanh(y z)\n           ^',
      );
    });

    it.each([
      ['', 'line 1, column 1: expected a number, a name or "(", got the end.'],
      ['x + ', 'column 5: expected a number, a name or "(", got the end.'],
      ['(x', 'column 3: expected ")", got the end.'],
      ['x y', 'column 3: expected an operator or the end, got "y".'],
      ['lefty + left', 'got "lefty". Did you mean "left"?'],
      ['tahn(x)', 'expected a function, got "tahn". Did you mean "tanh"?'],
      ['tanh', 'It is a function: write tanh(...).'],
      ['left(2)', 'It is a value: a table is read with at(table, index).'],
      ['constructor', 'got "constructor"'],
      ['__proto__', 'got "__proto__"'],
      ['toString(x)', 'expected a function, got "toString"'],
      ['`constructor`', 'got "constructor"'],
      ['x < y < 2', 'Comparisons do not chain: write a < b and b < c.'],
      ['x = 3', 'column 6: expected ";", got the end.'],
      ['a = x; a = y; a', 'column 8: "a" is bound already; expected each name once.'],
      ['if = x; 1', 'column 1: expected a name to bind, got the word "if".'],
      ['x + (y = 2)', 'column 8: expected ")", got "=". Equality is written ==.'],
      ['x && y', 'expected a part of a formula, got "&". Write: a and b.'],
      ['x ? y : 1', 'Write: if a then b else c.'],
      ['2x', 'got "2". A product is written 2 * x.'],
      ['left[0]', 'Write: pick(vector, index) or at(table, index).'],
      ['`x', 'A name in backticks ends with a backtick.'],
      ["size('\\q')", 'expected a text with the escapes of JSON'],
      ['if p then x', 'expected "else", got the end.'],
      ['x + then', 'got the word "then"'],
      ['dot(left)', 'dot(value, value), got 1 arguments.'],
      ['exp(x, y)', 'exp(number), got 2 arguments.'],
      ["exp('x')", "exp(number), got the text 'x' as argument 1."],
      ['size(n)', 'expected one of the names'],
      ['size(x)', "expected size('dim'), got an expression as argument 1."],
      ["slice(left, 2, '0', '1')", "slice(value, axis, 'from', 'dim'), got 2 as argument 2."],
      ['left + p', 'column 6: add: expected numbers, got bool'],
      ['dot(left, w)', 'column 1: dot: expected a vector, got mat(m, n).'],
      ['at(bias, 0.5)', 'expected a whole number of 32 bits as an index, got 0.5.'],
      ['99999999999i + i', 'expected a whole number of 32 bits as an index'],
    ])('%j', (text, expected) => expect(refused(text)).toContain(expected));

    it('too much text and too deep a nest', () => {
      expect(refused(`x${' '.repeat(1_000_000)}`)).toBe(
        'parse: expected at most 1000000 characters, got 1000001.',
      );
      for (const deep of [
        `${'('.repeat(1e4)}x${')'.repeat(1e4)}`,
        `${'-'.repeat(1e4)}x`,
        `${'not '.repeat(1e4)}p`,
        `x${'^x'.repeat(1e4)}`,
        `${'exp('.repeat(1e4)}x`,
        `${'if p then '.repeat(1e4)}x`,
      ]) {
        expect(refused(deep)).toContain(
          'expected at most 256 levels of nesting. Bind parts of it: name = ...;',
        );
      }
    });

    it('a scope without an expression, and a scope with a stranger', () => {
      expect(() => parse('1', { a: 1 })).toThrow('parse: expected a scope with at least one expression');
      expect(() => parse('a', { ...scope, a: 'x' as never })).toThrow(
        'expected "a" to stand for an expression or a number, got string',
      );
    });
  });

  it('takes long chains, which do not nest', () => {
    expect(evaluate(parse(`1i${' + 1i'.repeat(20_000)}`, scope))).toBe(20_001);
    expect(constant(home, 1)).toBe(asNode(parse('1', scope)));
  });
});
