import { print } from '@heed/expr';
import type { AttendInput, Axis } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { compose } from './index.ts';
import { additive, causal, location, relative, scaledDot, sloped, softmax } from './parts.fixture.ts';
import { type Plan, type Problem, plan } from './plan.ts';
import type { Spec } from './spec.ts';

const input = (along: readonly Axis[], ...dims: string[]): AttendInput => ({
  type: { element: 'float', dims, lookups: 0 },
  dtype: 'float32',
  along,
});

/** A plan without tensors: every row has 4 features, everything else is as declared. */
function planned(spec: Spec, change: Partial<Problem> = {}): Plan {
  const shared = spec.widths === 'shared';
  const declared = { ...spec.params, ...spec.inputs };
  return plan(spec, {
    inputs: {
      q: input(['batch', 'head', 'query'], shared ? 'feature' : 'queryFeature'),
      k: input(['batch', 'keyHead', 'key'], shared ? 'feature' : 'keyFeature'),
      value: input(['batch', 'keyHead', 'key'], 'valueFeature'),
      ...Object.fromEntries(
        Object.entries(declared).map(([name, { type, along }]) => [name, { type, along, dtype: 'float32' }]),
      ),
    },
    uniforms: {},
    sizes: {
      ...(shared ? { feature: 4 } : { queryFeature: 4, keyFeature: 4 }),
      valueFeature: 4,
      ...spec.sizes,
    },
    fewer: 'key',
    keep: { level: false, weights: false },
    dtype: 'float32',
    ...change,
  });
}

const written = ({ hoisted, program, notes }: Plan): string =>
  [
    ...hoisted.map(({ name, along, body }) => `${name} [${along.join(', ')}] = ${print(body)}`),
    `score = ${print(program.score)}`,
    `allowed = ${print(program.mask)}`,
    ...notes.map((note) => `- ${note}`),
  ].join('\n');

describe('plan', () => {
  it('computes the projections of an additive score once for each row', () => {
    const spec = compose({ score: additive({ hidden: 3 }), mask: causal(), normalizer: softmax() }, false);
    expect(written(planned(spec))).toMatchInlineSnapshot(`
      "query$0 [batch, head, query] = matvec(w, q)
      key$0 [batch, keyHead, key] = matvec(u, k)
      score = dot(v, tanh(add(query$0, key$0)))
      allowed = le(key, query)
      - matvec(w, q) depends on query alone: computed once for each row as query$0
      - matvec(u, k) depends on key alone: computed once for each row as key$0
      - tanh(add(query$0, key$0)) is computed as 1 - 2 / (exp(2x) exp(2y) + 1), with exponentials of rows"
    `);
  });

  it('leaves a dot product as a product of rows, and folds sizes into numbers', () => {
    const spec = compose({ score: scaledDot(), normalizer: softmax() }, false);
    expect(written(planned(spec))).toMatchInlineSnapshot(`
      "score = mul(dot(q, k), 0.5)
      allowed = true"
    `);
  });

  it('computes ahead what the head alone decides, and what only the query says of positions', () => {
    const sloping = compose({ score: scaledDot(), modifiers: [sloped()], normalizer: softmax() }, false);
    expect(written(planned(sloping))).toMatchInlineSnapshot(`
      "shared$0 [head] = exp(mul(-5.545177444479562, div(toFloat(add(head, 1i)), toFloat(heads))))
      score = sub(mul(dot(q, k), 0.5), mul(shared$0, toFloat(abs(sub(query, key)))))
      allowed = true
      - exp(mul(-5.545177444479562, div(toFloat(add(head, 1i)), toFloat(heads)))) depends on neither query nor key: computed once as shared$0"
    `);
    const placing = compose({ score: location({ positions: 9 }), normalizer: softmax() }, false);
    expect(written(planned(placing))).toMatchInlineSnapshot(`
      "query$0 [batch, head, query] = matvec(w, q)
      score = pick(query$0, key)
      allowed = true
      - matvec(w, q) depends on query alone: computed once for each row as query$0"
    `);
  });

  it('reads a table in place: its index depends on both sides', () => {
    const spec = compose(
      { score: scaledDot(), modifiers: [relative({ reach: 2 })], normalizer: softmax() },
      false,
    );
    expect(written(planned(spec))).toMatchInlineSnapshot(`
      "score = add(mul(dot(q, k), 0.5), at(distances, add(minimum(maximum(sub(key, query), -2i), 2i), 2i)))
      allowed = true"
    `);
  });

  it('knows no length: equal problems give equal programs', () => {
    const spec = compose({ score: additive({ hidden: 3 }), normalizer: softmax() }, false);
    const [a, b] = [planned(spec), planned(spec)];
    expect(written(a)).toBe(written(b));
    expect(JSON.stringify(a.program.sizes)).not.toMatch(/length/i);
  });
});
