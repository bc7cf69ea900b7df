import { describe, expect, it } from 'vitest';
import { add, at, concat, dot, matvec, mul, relu, square, sub, sum, tanh, vecmat } from './author.ts';
import type { Expr } from './node.ts';
import { c, given, il, ir, l, l2, long, n, r, sr, staged, v, w, wide } from './stage.fixture.ts';
import { mat, table, vec } from './type.ts';

describe('expose', () => {
  describe('parts what is joined', () => {
    it('in a product with a matrix', () => {
      expect(staged(dot(v, tanh(matvec(wide, concat(l, r)))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = matvec(slice(wide, 1, '0', 'n'), l)",
          "right$0 [right] = matvec(slice(wide, 1, 'n', 'n'), r)",
          "dot(v, tanh(add(left$0, right$0)))",
        ]
      `);
    });
    it('in a dot, element by element', () => {
      expect(staged(dot(long, tanh(concat(l, r))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = dot(slice(long, '0', 'n'), tanh(l))",
          "right$0 [right] = dot(slice(long, 'n', 'n'), tanh(r))",
          "add(left$0, right$0)",
        ]
      `);
      const three = given('three', vec('n+n+n'));
      expect(staged(dot(three, concat(concat(l, r), mul(l, r))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = dot(slice(three, '0', 'n'), l)",
          "right$0 [right] = dot(slice(three, 'n', 'n'), r)",
          "left$1 [left] = mul(slice(three, 'n+n', 'n'), l)",
          "add(add(left$0, right$0), dot(left$1, r))",
        ]
      `);
    });
  });

  describe('regroups sums of products', () => {
    it('so that each side has one operand', () => {
      expect(staged(sum(mul(l, r)))).toEqual(['dot(l, r)']);
      expect(staged(sum(mul(mul(v, l), r)))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = mul(v, l)",
          "dot(left$0, r)",
        ]
      `);
      expect(staged(dot(v, mul(l, r)), { fewer: 'right' })).toMatchInlineSnapshot(`
        [
          "right$0 [right] = mul(v, r)",
          "dot(l, right$0)",
        ]
      `);
      expect(staged(dot(mul(sr, l), r))).toMatchInlineSnapshot(`
        [
          "mul(sr, dot(l, r))",
        ]
      `);
      expect(staged(dot(v, sub(l, r)))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = dot(v, l)",
          "right$0 [right] = dot(v, r)",
          "sub(left$0, right$0)",
        ]
      `);
      expect(staged(dot(v, add(l, sr)))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = dot(v, l)",
          "shared$0 [] = sum(v)",
          "add(left$0, mul(sr, shared$0))",
        ]
      `);
    });
    it('and adds what lies on one side first', () => {
      expect(staged(dot(v, tanh(add(add(l, r), c))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = add(l, c)",
          "dot(v, tanh(add(left$0, r)))",
        ]
      `);
      expect(staged(dot(v, tanh(sub(add(l, sr), add(r, l2)))))).toMatchInlineSnapshot(`
        [
          "left$0 [left] = sub(l, l2)",
          "right$0 [right] = sub(fill(sr, 'n'), r)",
          "dot(v, tanh(add(left$0, right$0)))",
        ]
      `);
      expect(staged(dot(v, sub(1, square(tanh(add(l, r))))))).toMatchInlineSnapshot(`
        [
          "t1 = tanh(add(l, r)); dot(v, sub(1, mul(t1, t1)))",
        ]
      `);
    });
    it('with what cannot be parted kept together', () => {
      const bias = given('bias', table(1, n));
      const shift = at(bias, add(il, ir)) as Expr<typeof n>;
      expect(staged(dot(l, add(r, shift)))).toMatchInlineSnapshot(`
        [
          "add(dot(l, r), dot(l, at(bias, add(il, ir))))",
        ]
      `);
      expect(staged(sum(square(sub(l, r))))).toMatchInlineSnapshot(`
        [
          "t1 = sub(l, r); dot(t1, t1)",
        ]
      `);
    });
  });

  describe('multiplies a matrix where it is done less often', () => {
    it('on either side of a bilinear form', () => {
      expect(staged(dot(l, matvec(w, r)))).toMatchInlineSnapshot(`
        [
          "right$0 [right] = matvec(w, r)",
          "dot(l, right$0)",
        ]
      `);
      expect(staged(dot(l, matvec(w, r)), { fewer: 'left' })).toMatchInlineSnapshot(`
        [
          "left$0 [left] = vecmat(l, w)",
          "dot(left$0, r)",
        ]
      `);
      expect(staged(dot(vecmat(l, w), r), { fewer: 'right' })).toMatchInlineSnapshot(`
        [
          "right$0 [right] = matvec(w, r)",
          "dot(right$0, l)",
        ]
      `);
      expect(staged(dot(l, add(matvec(w, r), c)), { fewer: 'left' })).toMatchInlineSnapshot(`
        [
          "left$0 [left] = vecmat(l, w)",
          "left$1 [left] = dot(l, c)",
          "add(dot(left$0, r), left$1)",
        ]
      `);
    });
    it('never where that makes the loop over pairs dearer than it saves', () => {
      const tall = given('tall', mat('few', 'n'));
      const few = given('few', vec('few'), 'left');
      const form = dot(few, matvec(tall, r));
      expect(staged(form, { fewer: 'left', sizes: { few: 2, n: 64 } })[0]).toBe(
        'right$0 [right] = matvec(tall, r)',
      );
      expect(staged(form, { fewer: 'left', sizes: { few: 2, n: 64, left: 1, right: 512 } })[0]).toMatch(
        'left$0',
      );
    });
    it('and out of the loop where a vector of pairs is multiplied and then weighted', () => {
      expect(staged(dot(v, matvec(w, relu(add(l, r)))))).toMatchInlineSnapshot(`
        [
          "shared$0 [] = vecmat(v, w)",
          "dot(shared$0, maximum(add(l, r), 0))",
        ]
      `);
    });
    it('in the loop, where the vector depends on both and the product does too', () => {
      expect(staged(dot(v, tanh(matvec(w, relu(add(l, r))))))).toMatchInlineSnapshot(`
        [
          "dot(v, tanh(matvec(w, maximum(add(l, r), 0))))",
        ]
      `);
    });
  });
});
