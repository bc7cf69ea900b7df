import * as e from '@heed/expr';
import { describe, expect, it } from 'vitest';
import { describeProgram, printProgram } from './print.ts';
import type { AttendProgram, MapProgram, Program } from './program.ts';

const body = (value: number) => e.trace('map', e.scalar, (declare) => e.mul(declare('x', e.scalar), value));
const map = (value: number, change: Partial<MapProgram> = {}): MapProgram => ({
  kind: 'map',
  rank: 2,
  inputs: { x: 'float32', y: 'float16' },
  uniforms: { scale: 'float' },
  results: { out: { dtype: 'float32', body: body(value) } },
  ...change,
});

const attend: AttendProgram = {
  kind: 'attend',
  inputs: {
    q: { type: e.vec('feature'), dtype: 'float32', along: ['batch', 'head', 'query'] },
    k: { type: e.vec('feature'), dtype: 'float32', along: ['batch', 'keyHead', 'key'] },
    v: { type: e.vec('valueFeature'), dtype: 'float16', along: ['batch', 'keyHead', 'key'] },
  },
  value: 'v',
  uniforms: { temperature: 'float' },
  sizes: { feature: 8, valueFeature: 4 },
  score: e.trace('score', e.scalar, (declare) =>
    e.div(
      e.dot(
        declare('q', e.vec('feature'), ['batch', 'head', 'query']),
        declare('k', e.vec('feature'), ['batch', 'keyHead', 'key']),
      ),
      declare('temperature', e.scalar),
    ),
  ),
  mask: e.trace('mask', e.bool, (declare) => e.le(declare('key', e.index), declare('query', e.index))),
  normalizer: {
    weight: e.trace('weight', e.scalar, (declare) =>
      e.exp(e.sub(declare('score', e.scalar), declare('level', e.scalar))),
    ),
    level: { by: 'log-sum-exp' },
    sink: null,
  },
  reweight: e.trace('reweight', e.scalar, () => 1),
  cheaper: null,
  keep: { level: true, weights: { pool: 16 } },
  dtype: 'float32',
};

describe('printProgram', () => {
  it('is the same for programs that were built in another order', () => {
    const one = map(2);
    const other: MapProgram = {
      results: one.results,
      uniforms: one.uniforms,
      inputs: { y: 'float16', x: 'float32' },
      rank: 2,
      kind: 'map',
    };
    expect(printProgram(other)).toBe(printProgram(one));
    expect(printProgram(map(2))).toBe(printProgram(one));
  });

  it('differs wherever programs do', () => {
    const retyped = e.trace('map', e.scalar, (declare) => e.mul(declare('x', e.scalar, ['key']), 2));
    const programs: Program[] = [
      map(2),
      map(-0),
      map(0),
      map(Number.NaN),
      map(Number.POSITIVE_INFINITY),
      map(2, { rank: 3 }),
      map(2, { inputs: { x: 'float32' } }),
      map(2, { inputs: { x: 'float16', y: 'float16' } }),
      map(2, { uniforms: { scale: 'int' } }),
      map(2, { results: { out: { dtype: 'float16', body: body(2) } } }),
      map(2, { results: { other: { dtype: 'float32', body: body(2) } } }),
      map(2, { results: { out: { dtype: 'float32', body: retyped } } }),
      { kind: 'gather', outer: 1, inner: 0, dtype: 'float32' },
      { kind: 'scatter-add', outer: 1, inner: 0, dtype: 'float32' },
      { kind: 'gather', outer: 0, inner: 1, dtype: 'float32' },
      attend,
      { ...attend, sizes: { feature: 8, valueFeature: 8 } },
      { ...attend, keep: { level: false, weights: { pool: 16 } } },
      { ...attend, keep: { level: true, weights: { pool: 8 } } },
      { ...attend, keep: { level: true, weights: true } },
      { ...attend, value: 'k' },
      { ...attend, normalizer: { ...attend.normalizer, level: { by: 'none' } } },
      { ...attend, normalizer: { ...attend.normalizer, sink: attend.reweight } },
    ];
    expect(new Set(programs.map(printProgram)).size).toBe(programs.length);
  });

  it('survives being sent to another thread', () => {
    expect(
      printProgram({
        ...attend,
        reweight: new e.Graph().adopt(e.asNode(structuredClone(attend.reweight))) as never,
      }),
    ).toBe(printProgram(attend));
  });
});

describe('describeProgram', () => {
  it('says what goes in, what is computed and what comes out', () => {
    expect(describeProgram(map(2))).toMatchInlineSnapshot(`
      "map over 2 axes
        inputs    x: float32, y: float16
        uniforms  scale: float
        out       mul(x, 2) -> float32"
    `);
    expect(describeProgram(attend)).toMatchInlineSnapshot(`
      "attend
        q         float32 vec(feature) along batch, head, query
        k         float32 vec(feature) along batch, keyHead, key
        v         float16 vec(valueFeature) along batch, keyHead, key (averaged)
        uniforms  temperature: float
        sizes     feature: 8, valueFeature: 4
        score     div(dot(q, k), temperature)
        mask      le(key, query)
        level     log-sum-exp
        weight    exp(sub(score, level))
        reweight  1
        keeps     context, level, weights"
    `);
    expect(
      describeProgram({
        kind: 'row',
        rank: 1,
        inputs: { x: 'float32' },
        uniforms: {},
        reductions: [{ name: 'total', by: 'sum', body: body(1) }],
        results: { out: { dtype: 'float32', body: body(3), per: 'row' } },
      }),
    ).toMatchInlineSnapshot(`
      "rows, 1 axis of them
        inputs    x: float32
        total     sum of mul(x, 1)
        out       mul(x, 3) -> float32, one a row"
    `);
    expect(
      describeProgram({
        kind: 'reduce',
        rank: 1,
        reduced: 1,
        inputs: { x: 'float32' },
        uniforms: {},
        body: body(1),
        by: 'sum',
        finish: body(1),
        dtype: 'float32',
      }),
    ).toMatchInlineSnapshot(`
      "sum over the last 1 axis of 2
        inputs    x: float32
        body      mul(x, 1)
        result    mul(x, 1) -> float32"
    `);
    expect(
      describeProgram({
        kind: 'matmul',
        rank: 1,
        a: 'float32',
        b: 'int8',
        inputs: {},
        uniforms: {},
        epilogue: body(1),
        dtype: 'float32',
      }),
    ).toMatchInlineSnapshot(`
      "matmul of float32 and int8, 1 axis of batches
        result    mul(x, 1) -> float32"
    `);
    expect(describeProgram({ kind: 'gather', outer: 0, inner: 1, dtype: 'float32' })).toMatchInlineSnapshot(
      `"gather of float32 along axis 0 of 2"`,
    );
    expect(
      describeProgram({
        kind: 'attend-gradient',
        of: attend,
        wrt: ['q', 'v'],
        upstream: { context: true, weights: false, level: false },
        weightByScore: body(1),
        weightByLevel: null,
        partials: { q: { score: body(5), reweight: null, weight: null, sink: null } },
        cheaper: null,
      }),
    ).toMatchInlineSnapshot(`
      "attend-gradient by q, v
        of        div(dot(q, k), temperature)
        d weight / d score: mul(x, 1)
        d score / d q: mul(x, 5)"
    `);
  });
});
