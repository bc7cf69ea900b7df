import fc from 'fast-check';
import { describe, it } from 'vitest';
import { expression, rough } from './arbitraries.fixture.ts';
import {
  abs,
  add,
  at,
  concat,
  cos,
  div,
  dot,
  erf,
  exp,
  fill,
  floor,
  floorDiv,
  gt,
  log,
  log1p,
  lt,
  matvec,
  max,
  maximum,
  min,
  minimum,
  mod,
  mul,
  neg,
  norm,
  pick,
  pow,
  random,
  rsqrt,
  select,
  sigmoid,
  sign,
  sin,
  size,
  slice,
  sqrt,
  sub,
  sum,
  tanh,
  toFloat,
  vecmat,
} from './author.ts';
import {
  agrees,
  expectDerivative,
  home,
  i,
  node,
  positive,
  r,
  t,
  u,
  v,
  values,
  w,
  x,
  y,
} from './derivative.fixture.ts';
import { build } from './infer.ts';
import { asExpr, asNode, type Expr } from './node.ts';
import type { Op } from './op.ts';
import type { Scalar } from './type.ts';

// Every op, in expressions that are smooth at the values of the fixture.
const everyOp: { readonly [O in Op]: readonly Expr<Scalar>[] } = {
  const: [mul(x, 3)],
  input: [x],
  size: [mul(x, size(u, 'n'))],
  neg: [neg(x), sum(neg(u))],
  abs: [abs(neg(x)), dot(v, abs(u))],
  sign: [mul(sign(x), x)],
  exp: [exp(x), dot(v, exp(u))],
  log: [log(x), dot(v, log(positive))],
  log1p: [log1p(x), dot(v, log1p(positive))],
  tanh: [tanh(x), dot(v, tanh(u))],
  sigmoid: [sigmoid(x), dot(v, sigmoid(u))],
  sqrt: [sqrt(x), dot(v, sqrt(positive))],
  rsqrt: [rsqrt(x), dot(v, rsqrt(positive))],
  floor: [mul(floor(y), x), floor(x)],
  erf: [erf(x), dot(v, erf(u))],
  sin: [sin(x), dot(v, sin(u))],
  cos: [cos(x), dot(v, cos(u))],
  not: [select(asExpr(build(home, 'not', [asNode(lt(x, y))], null)), x, mul(x, y))],
  toFloat: [mul(toFloat(i), x)],
  toInt: [mul(asExpr(build(home, 'toFloat', [build(home, 'toInt', [asNode(y)], null)], null)), x)],
  add: [add(x, y), sum(add(u, x)), dot(v, add(x, u))],
  sub: [sub(x, y), dot(u, sub(u, x)), dot(v, sub(x, u))],
  mul: [mul(x, y), dot(u, mul(x, v)), sum(mul(u, v)), sum(mul(mul(u, y), v))],
  div: [div(x, y), sum(div(u, x)), dot(u, div(x, positive)), dot(v, div(u, positive))],
  minimum: [minimum(x, y), sum(minimum(u, v)), sum(minimum(x, u))],
  maximum: [maximum(x, y), sum(maximum(u, v)), sum(maximum(u, x))],
  pow: [
    pow(x, 3),
    pow(x, 2),
    pow(x, 0.5),
    pow(x, 1),
    pow(x, 0),
    pow(x, y),
    pow(neg(x), 3),
    sum(pow(positive, x)),
    dot(v, pow(x, u)),
    dot(u, pow(positive, v)),
  ],
  mod: [mod(y, x), sum(mod(u, x))],
  floorDiv: [add(floorDiv(y, x), x)],
  lt: [select(lt(x, y), mul(x, y), y)],
  le: [select(asExpr(build(home, 'le', [asNode(x), asNode(y)], null)), mul(x, y), y)],
  gt: [select(gt(x, y), mul(x, y), y)],
  ge: [select(asExpr(build(home, 'ge', [asNode(x), asNode(y)], null)), mul(x, y), y)],
  eq: [select(asExpr(build(home, 'eq', [asNode(x), asNode(y)], null)), mul(x, y), y)],
  ne: [select(asExpr(build(home, 'ne', [asNode(x), asNode(y)], null)), mul(x, y), y)],
  and: [select(asExpr(build(home, 'and', [asNode(lt(x, y)), asNode(gt(x, 0))], null)), mul(x, y), y)],
  or: [select(asExpr(build(home, 'or', [asNode(gt(x, y)), asNode(gt(x, 0))], null)), mul(x, y), y)],
  select: [
    select(lt(x, y), mul(x, y), exp(x)),
    sum(select(asExpr<never>(build(home, 'lt', [asNode(u), asNode(v)], null)), mul(u, v), mul(x, u))),
    sum(
      tanh(
        matvec(
          w,
          select(asExpr<never>(build(home, 'lt', [asNode(u), asNode(v)], null)), mul(u, v), fill(x, 'n')),
        ),
      ),
    ),
  ],
  dot: [dot(u, v), dot(u, u), dot(fill(x, 'n'), u)],
  sum: [sum(u), sum(mul(u, v)), sum(fill(x, 'n'))],
  max: [max(u), max(mul(u, v))],
  min: [min(u), min(mul(u, v))],
  norm: [norm(u), norm(mul(u, v))],
  concat: [dot(concat(u, v), concat(v, mul(u, u))), norm(tanh(concat(u, v)))],
  slice: [
    norm(slice(u, '1', '2')),
    dot(slice(u, '1', '2'), slice(v, '0', '2')),
    sum(
      matvec(
        asExpr<never>(build(home, 'slice', [asNode(w)], { axis: 1, from: '1', dim: '2' })),
        slice(u, '0', '2'),
      ),
    ),
  ],
  place: [dot(node('place', [slice(u, '1', '2')], { axis: 0, from: '0', dim: 'n' }), v)],
  fill: [dot(fill(x, 'n'), u), norm(fill(mul(x, y), 'n'))],
  pick: [mul(pick(u, i), pick(mul(u, v), i))],
  spread: [dot(node('spread', [mul(x, y), i], { dim: 'n' }), exp(u))],
  matvec: [dot(tanh(matvec(w, u)), matvec(w, v)), sum(matvec(node('mul', [w, x]) as Expr<never>, u))],
  vecmat: [dot(tanh(vecmat(matvec(w, u), w)), v)],
  outer: [dot(matvec(asExpr<never>(build(home, 'outer', [asNode(u), asNode(v)], null)), mul(u, v)), u)],
  at: [mul(at(t, i), at(t, 2)), mul(x, at(t, i)), dot(at(r, i) as typeof u, u), at(t, 7)],
  entry: [mul(at(asExpr<typeof t.type>(build(home, 'entry', [asNode(mul(x, y)), asNode(i)], null)), 1), x)],
  random: [mul(x, random(i, 1, 2, 3))],
};

// Many small steps look like a slope to differences.
const staircases: Op[] = ['floor', 'floorDiv', 'mod', 'toInt'];
// Odd multiples of 2^-20, evenly spread: no two alike, none at a kink.
const floats = fc.noBias(fc.integer({ min: -(2 ** 20), max: 2 ** 20 })).map((i) => (2 * i + 1) / 2 ** 20);

describe('partials', () => {
  it('agrees with differences on smooth expressions', () => {
    fc.assert(
      fc.property(expression({ except: rough, floats, literals: floats }), (sample) => agrees(sample, true)),
      { numRuns: 300 },
    );
  });

  it('agrees with differences on any expression, where it is smooth', () => {
    fc.assert(
      fc.property(expression({ depth: 3, floats, literals: floats, except: staircases }), (sample) =>
        agrees(sample, false),
      ),
      { numRuns: 500 },
    );
  });

  for (const [op, examples] of Object.entries(everyOp)) {
    it(`gives the derivative of ${op}, as differences do`, () => {
      for (const root of examples)
        for (const wrt of [x, y, u, v, w, t, r]) expectDerivative(root, wrt, values);
    });
  }
});
