import { describe, expect, it } from 'vitest';
import { addDims, cut, filled, minus, negate, over, plus, times, total } from './algebra.ts';
import { add, concat, mul, neg, slice } from './author.ts';
import { input } from './infer.ts';
import { asExpr, asNode, Graph } from './node.ts';
import { print } from './print.ts';
import { scalar, vec } from './type.ts';

const home = new Graph();
const s = asExpr<typeof scalar>(input(home, 's', scalar));
const a = asExpr<ReturnType<typeof vec<'n'>>>(input(home, 'a', vec('n')));
const b = asExpr<ReturnType<typeof vec<'m'>>>(input(home, 'b', vec('m')));
const [S, A, B] = [asNode(s), asNode(a), asNode(b)];
const text = (node: Parameters<typeof asExpr>[0]): string => print(asExpr(node));

describe('the arithmetic of passes', () => {
  it('folds what would only be read', () => {
    const one = asNode(mul(s, 1)).args[1] as typeof S;
    expect(times(one, A)).toBe(A);
    expect(times(negate(one), A)).toBe(asNode(neg(a)));
    expect(negate(negate(A))).toBe(A);
    expect(over(A, one)).toBe(A);
    expect(text(plus(A, negate(A)))).toBe('sub(a, a)');
    expect(text(minus(one, one))).toBe('0');
  });

  it('repeats no scalar that a product repeats', () => {
    expect(text(times(filled(S, 'n'), A))).toBe('mul(s, a)');
    expect(text(times(S, filled(S, 'n')))).toBe("fill(mul(s, s), 'n')");
    expect(text(total(filled(S, 'n')))).toBe("mul(s, size('n'))");
  });

  it('sums products as dots, with scalars outside', () => {
    expect(text(total(times(A, A)))).toBe('dot(a, a)');
    expect(text(total(times(S, negate(A))))).toBe('mul(s, neg(sum(a)))');
    expect(total(S)).toBe(S);
  });

  it('adds dims', () => {
    expect(['0+0', 'n+0', '0+n', '2+n+3', 'n+m'].map((dims) => addDims(dims, '0'))).toEqual([
      '0',
      'n',
      'n',
      'n+5',
      'n+m',
    ]);
    expect(addDims('n', 'n')).toBe('n+n');
  });

  it('cuts where things were joined, and once', () => {
    const joined = asNode(concat(a, b));
    expect(cut(joined, 0, '0', 'n')).toBe(A);
    expect(cut(joined, 0, 'n', 'm')).toBe(B);
    expect(cut(A, 0, '0', 'n')).toBe(A);
    expect(text(cut(asNode(slice(add(a, s), '1', 'k')), 0, '2', '2'))).toBe("slice(add(a, s), '3', '2')");
  });
});
