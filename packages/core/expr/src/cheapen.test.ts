import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  div,
  dot,
  exp,
  fill,
  matvec,
  maximum,
  mul,
  neg,
  sigmoid,
  sqrt,
  square,
  sub,
  sum,
  tanh,
} from './author.ts';
import { type CheapenOptions, type Cheaper, cheapen } from './cheapen.ts';
import { derive } from './derive.ts';
import { evaluate } from './evaluate.ts';
import { build, input } from './infer.ts';
import { asExpr, asNode, type Expr, Graph, type Node } from './node.ts';
import { print } from './print.ts';
import { EXPONENT } from './separable.ts';
import { simplify } from './simplify.ts';
import { stage } from './stage.ts';
import { mat, type Scalar, scalar, type Type, vec } from './type.ts';
import type { Value } from './value.ts';
import { reachable } from './walk.ts';

const pair = ['left', 'right'] as const;
const sizes = { n: 4 };
type Values = Readonly<Record<string, Value>>;

const home = new Graph();
const given = <T extends Type>(name: string, type: T, ...along: string[]): Expr<T> =>
  asExpr<T>(input(home, name, type, along));
const n = vec('n');
const [l, l2] = [given('l', n, 'left'), given('l2', n, 'left')];
const [r, v, c] = [given('r', n, 'right'), given('v', n), given('c', n)];
const [sl, sr] = [given('sl', scalar, 'left'), given('sr', scalar, 'right')];

const numbers = (value: Value): number[] =>
  typeof value === 'object' ? Array.from('data' in value ? value.data : value) : [Number(value)];
const like = (value: Value, of: number[]): Value => (typeof value === 'object' ? of : (of[0] as number));
const round = (value: Value): Value => like(value, numbers(value).map(Math.fround));

/** An expression as float32 arithmetic computes it: every result rounded (sums once, at their end). */
function inFloat32(root: Expr, values: Values): Value {
  const done = new Map<Node, Value>();
  for (const node of reachable([asNode(root)])) {
    if (node.op === 'input') {
      done.set(node, round(values[node.data.name] as Value));
      continue;
    }
    const alone = new Graph();
    const args = node.args.map((arg, i) => input(alone, `a${i}`, arg.type));
    const given = Object.fromEntries(node.args.map((arg, i) => [`a${i}`, done.get(arg) as Value]));
    const step = args.length === 0 ? node : build(alone, node.op, args, node.data);
    done.set(node, round(evaluate(asExpr(step), given, sizes) as Value));
  }
  return done.get(asNode(root)) as Value;
}

type Run = (root: Expr, values: Values) => Value;
const inFloat64: Run = (root, values) => evaluate(root, values, sizes);

/** The cheaper roots, their rows computed first. */
function run(cheaper: Cheaper, values: Values, by: Run): Record<string, Value> {
  const all: Record<string, Value> = { ...values };
  for (const { name, body } of cheaper.rows) all[name] = by(body, all);
  return Object.fromEntries(Object.entries(cheaper.roots).map(([name, root]) => [name, by(root, all)]));
}

const rewritten = (root: Expr, options: Partial<CheapenOptions> = {}): Cheaper => {
  const cheaper = cheapen({ root }, { pair, ...options });
  if (!cheaper) throw new Error(`nothing to rewrite in ${print(root)}`);
  return cheaper;
};
const shown = (root: Expr, options: Partial<CheapenOptions> = {}): string[] => {
  const { roots, rows, guards } = rewritten(root, options);
  return [
    ...rows.map(({ name, along, body }) => `${name} [${along}] = ${print(body)}`),
    print(roots.root as Expr),
    ...guards.map(({ input: name, limit }) => `|${name}| <= ${limit}`),
  ];
};

const e = 2 ** -24;
/** The largest distance from the true value, over inputs as far out as the guards allow. */
function worst(
  root: Expr,
  pick: (guards: Cheaper['guards']) => fc.Arbitrary<Values>,
  relative: boolean,
  by: Run,
): number {
  const cheaper = rewritten(root);
  let most = 0;
  fc.assert(
    fc.property(pick(cheaper.guards), (raw) => {
      const values = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, round(value)]));
      const [truth, got] = [
        numbers(inFloat64(root, values)),
        numbers(run(cheaper, values, by).root as Value),
      ];
      truth.forEach((one, i) => {
        const distance = Math.abs((got[i] as number) - one) / (relative ? Math.abs(one) : 1);
        expect(distance).not.toBeNaN();
        most = Math.max(most, distance);
      });
    }),
    { numRuns: 4000 },
  );
  return most;
}
/** Often at the guards' ends, often small, often with sides that cancel. */
const scalars = (guards: Cheaper['guards']): fc.Arbitrary<Values> => {
  const limit = (name: string): number => guards.find((one) => one.input === name)?.limit ?? 1;
  const one = (name: string) => {
    const most = limit(name) * (1 - 2 ** -20);
    return fc.oneof(
      fc.constantFrom(-most, most, 0),
      fc.double({ min: -most, max: most, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
    );
  };
  return fc.oneof(
    fc.record({ sl: one('sl'), sr: one('sr') }),
    fc.tuple(one('sl'), fc.double({ min: -1, max: 1, noNaN: true })).map(([x, y]) => {
      const most = limit('sr') * (1 - 2 ** -20);
      return { sl: x, sr: Math.max(-most, Math.min(most, y - x)) };
    }),
  );
};

describe('cheapen', () => {
  const z = add(sl, sr);
  const t = tanh(z);
  const forms: readonly [name: string, root: Expr<Scalar>, error: number, relative: boolean][] = [
    ['tanh', t, 8 * e, false],
    ['tanh of a difference with factors', tanh(sub(mul(sl, 3), div(sr, 2))), 8 * e, false],
    ['1 - tanh²', sub(1, square(t)), 12 * e, false],
    ['sigmoid', sigmoid(z), 4 * e, false],
    ['exp', exp(z), 6 * e, true],
  ];
  for (const [name, root, error, relative] of forms) {
    it(`keeps ${name} within its stated error in float32, up to the guards`, () => {
      // Half of the rounding of both exponents, where these are not exact.
      const rounding = rewritten(root).error.includes('exponents') ? EXPONENT * e : 0;
      expect(name.includes('factors')).toBe(rounding > 0);
      expect(worst(root, scalars, relative, inFloat32)).toBeLessThan(error + rounding);
    });
    it(`keeps ${name} in float64`, () => {
      expect(worst(root, scalars, relative, inFloat64)).toBeLessThan(200 * Number.EPSILON);
    });
  }

  it('would go wrong without its guards', () => {
    const { sl: x, sr: y } = { sl: 60, sr: -60 };
    expect(run(rewritten(t), { sl: x, sr: y }, inFloat32).root).toBeNaN();
  });

  const list = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 4, maxLength: 4 });
  const rows = fc.record({
    l: list,
    l2: list,
    r: list,
    v: list,
    c: list,
    sl: fc.constant(0.5),
    sr: fc.constant(-0.25),
  });
  const formulas: readonly Expr<Scalar>[] = [
    dot(v, tanh(add(l, r))),
    dot(v, tanh(add(l, sr))),
    dot(v, tanh(add(add(l, r), c))),
    dot(v, tanh(sub(l, mul(r, 0.5)))),
    dot(l2, sigmoid(neg(add(l, r)))),
    sum(tanh(add(l, r))),
    dot(tanh(add(l, r)), mul(l2, r)),
    dot(v, square(tanh(add(l, r)))),
    mul(dot(l2, r), sigmoid(add(sl, sr))),
    dot(tanh(add(l, r)), tanh(add(l2, r))),
  ];
  it('keeps the values of formulas and of all their partials', () => {
    for (const formula of formulas) {
      const staged = stage({ formula }, { pair });
      const body = staged.roots.formula as Expr<Scalar>;
      const inputs = [...reachable([asNode(body)])].filter(
        (node) => node.op === 'input' && node.type.element === 'float',
      );
      const changes = derive(body, inputs as Node[]).map((change, i): [string, Expr][] =>
        change ? [[`d${i}`, change]] : [],
      );
      for (const roots of [{ formula: body }, Object.fromEntries(changes.flat())]) {
        for (const before of [
          roots,
          Object.fromEntries(Object.entries(roots).map(([name, root]) => [name, simplify(root)])),
        ]) {
          const cheaper = cheapen(before, { pair });
          expect(cheaper).not.toBeNull();
          const ops = [...reachable(Object.values((cheaper as Cheaper).roots).map(asNode))].map(
            ({ op }) => op,
          );
          for (const op of ['tanh', 'exp', 'sigmoid']) expect(ops).not.toContain(op);
          fc.assert(
            fc.property(rows, (values) => {
              const all: Record<string, Value> = { ...values };
              for (const { name, body: row } of staged.hoisted) all[name] = evaluate(row, all, sizes);
              const got = run(cheaper as Cheaper, all, inFloat64);
              for (const [name, root] of Object.entries(before)) {
                const truth = numbers(evaluate(root, all, sizes));
                for (const [i, one] of numbers(got[name] as Value).entries()) {
                  expect(Math.abs(one - (truth[i] as number))).toBeLessThan(1e-11);
                }
              }
            }),
            { numRuns: 50 },
          );
        }
      }
    }
  });

  it('leaves no exponential or tanh to the pairs, in the partials too', () => {
    const formula = dot(v, tanh(add(l, r)));
    const partials = derive(formula, [v, l, r]).map((one) => one as Expr);
    const roots = { formula, v: partials[0] as Expr, l: partials[1] as Expr, r: partials[2] as Expr };
    const cheaper = cheapen(roots, { pair }) as Cheaper;
    expect(
      Object.entries(cheaper.roots).map(([name, root]) => `${name}: ${print(root)}`),
    ).toMatchInlineSnapshot(`
      [
        "formula: sub(shared$sum0, mul(2, dot(v, div(1, add(mul(left$exp0, right$exp0), 1)))))",
        "v: sub(1, mul(2, div(1, add(mul(left$exp0, right$exp0), 1))))",
        "l: t1 = div(1, add(mul(left$exp0, right$exp0), 1)); mul(v, mul(4, mul(t1, sub(1, t1))))",
        "r: t1 = div(1, add(mul(left$exp0, right$exp0), 1)); mul(v, mul(4, mul(t1, sub(1, t1))))",
      ]
    `);
    expect(
      cheaper.rows.map(({ name, along, body }) => `${name} [${along}] = ${print(body)}`),
    ).toMatchInlineSnapshot(`
      [
        "left$exp0 [left] = exp(mul(2, l))",
        "right$exp0 [right] = exp(mul(2, r))",
        "shared$sum0 [] = sum(v)",
      ]
    `);
    expect(cheaper.guards).toEqual([
      { input: 'l', limit: 17 },
      { input: 'r', limit: 17 },
    ]);
    expect(cheaper.reasons).toMatchInlineSnapshot(`
      [
        "tanh(add(l, r)) is computed as 1 - 2 / (exp(2x) exp(2y) + 1), with exponentials of rows",
        "1 less the square of tanh(add(l, r)) is computed as 4 u (1 - u), where the tanh is 1 - 2 u",
      ]
    `);
    expect(cheaper.error).toMatchInlineSnapshot(
      `"each tanh within 8 * 2^-24, absolute; each 1 - tanh^2 within 12 * 2^-24, absolute"`,
    );
    expect(cheaper.roots.l).toBe(cheaper.roots.r);
  });

  it('takes sums of inputs with literal factors apart', () => {
    expect(shown(dot(v, tanh(add(l, r))))).toMatchInlineSnapshot(`
      [
        "left$exp0 [left] = exp(mul(2, l))",
        "right$exp0 [right] = exp(mul(2, r))",
        "shared$sum0 [] = sum(v)",
        "sub(shared$sum0, mul(2, dot(v, div(1, add(mul(left$exp0, right$exp0), 1)))))",
        "|l| <= 17",
        "|r| <= 17",
      ]
    `);
    expect(shown(dot(v, tanh(add(add(l, c), sub(r, 0.5)))))).toMatchInlineSnapshot(`
      [
        "left$exp0 [left] = exp(add(add(mul(2, l), mul(2, c)), -1))",
        "right$exp0 [right] = exp(mul(2, r))",
        "shared$sum0 [] = sum(v)",
        "sub(shared$sum0, mul(2, dot(v, div(1, add(mul(left$exp0, right$exp0), 1)))))",
        "|l| <= 8.25",
        "|c| <= 8.25",
        "|r| <= 17",
      ]
    `);
    expect(shown(sigmoid(neg(div(add(sl, sr), 4))))).toMatchInlineSnapshot(`
      [
        "left$exp0 [left] = exp(mul(0.25, sl))",
        "right$exp0 [right] = exp(mul(0.25, sr))",
        "div(1, add(mul(left$exp0, right$exp0), 1))",
        "|sl| <= 136",
        "|sr| <= 136",
      ]
    `);
    expect(shown(sum(exp(add(fill(sl, 'n'), sr))))).toMatchInlineSnapshot(`
      [
        "left$exp0 [left] = exp(fill(sl, 'n'))",
        "right$exp0 [right] = exp(sr)",
        "sum(mul(left$exp0, right$exp0))",
        "|sl| <= 34",
        "|sr| <= 34",
      ]
    `);
  });

  it('writes squared distances as products only when asked to', () => {
    const distance = sum(square(sub(l, r)));
    const { root } = stage({ root: distance }, { pair }).roots as { root: Expr<Scalar> };
    expect(cheapen({ root }, { pair })).toBeNull();
    expect(shown(root, { distances: true })).toMatchInlineSnapshot(`
      [
        "left$square0 [left] = dot(l, l)",
        "right$square0 [right] = dot(r, r)",
        "maximum(sub(add(left$square0, right$square0), mul(2, dot(l, r))), 0)",
      ]
    `);
    const cheaper = rewritten(root, { distances: true });
    fc.assert(
      fc.property(rows, (raw) => {
        const values = { ...raw, l: round(raw.l), r: round(raw.r) };
        const squares = [...(values.l as number[]), ...(values.r as number[])].reduce(
          (all, x) => all + x * x,
          0,
        );
        const truth = evaluate(root, values, sizes);
        expect(Math.abs((run(cheaper, values, inFloat32).root as number) - truth)).toBeLessThanOrEqual(
          (4 + 4) * e * 2 * squares + 2 ** -140,
        );
      }),
    );
  });

  it('has nothing to say about other expressions', () => {
    const w = given('w', mat('n', 'n'));
    for (const root of [
      dot(l, r),
      tanh(dot(l, r)),
      dot(v, tanh(l)),
      dot(v, tanh(matvec(w, maximum(add(l, r), 0)))),
      tanh(add(sl, mul(sr, sl))),
      tanh(add(sqrt(sl), sr)),
      exp(add(sl, add(sr, 40))),
    ]) {
      expect(cheapen({ root }, { pair })).toBeNull();
    }
  });
});
