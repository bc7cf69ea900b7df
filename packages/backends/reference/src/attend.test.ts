import { add, and, at, index, le, lt, mul, ne, scalar, table, toFloat } from '@heed/expr';
import { type AttendProgram, fromFloat16, toFloat16, type View } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import {
  type Allowed,
  attention,
  expected,
  FEATURE,
  forms,
  noise,
  numbers,
  plainly,
  rows,
  shapes,
  sizes,
  upload,
  VALUE,
} from './attention.fixture.ts';
import { Bench, float, truth } from './bench.fixture.ts';

const causal = truth((x) => le(x('key', index), x('query', index)));

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  got.forEach((one, i) => {
    expect(one).toBeCloseTo(wanted[i]!, 13);
  });
}

async function compare(
  program: AttendProgram,
  wanted: { context: number[]; weights: number[] },
  given = numbers(),
  more: (bench: Bench) => Record<string, View> = () => ({}),
): Promise<void> {
  const bench = await Bench.open();
  const found = await bench.result(program, { ...upload(bench, given), ...more(bench) }, shapes(), { sizes });
  expectClose(found.context, wanted.context);
  expectClose(found.weights, wanted.weights);
}

describe('attend', () => {
  it.each(Object.keys(forms) as (keyof typeof forms)[])('agrees with plain loops for %s', async (name) => {
    const program = attention({ normalizer: forms[name], mask: causal });
    await compare(
      program,
      expected(plainly[name], numbers(), (_b, _h, i, j) => j <= i),
    );
  });

  it.each(['softmax', 'sparsemax', 'argmax'] as const)('gives a sink its share of %s', async (name) => {
    const sink = float((x) => mul(toFloat(x('query', index)), 0.3));
    const program = attention({ normalizer: { ...forms[name], sink } });
    const bench = await Bench.open();
    const given = numbers();
    const found = await bench.result(program, upload(bench, given), shapes(), { sizes });
    const byQuery = [0, 1, 2].map((query) => expected((scores) => plainly[name](scores, query * 0.3), given));
    found.weights.forEach((one, i) => {
      const query = Math.floor(i / sizes.keyLength) % sizes.queryLength;
      expect(one).toBeCloseTo(byQuery[query]!.weights[i]!, 13);
    });
  });

  it('never lets a masked row reach a result, and leaves rows without keys empty', async () => {
    const given = numbers();
    for (const name of ['k', 'v'] as const) {
      const width = name === 'k' ? FEATURE : VALUE;
      for (let row = 0; row < sizes.batches * sizes.keyHeads; row++) {
        given[name].fill(
          Number.NaN,
          (row * sizes.keyLength + 4) * width,
          (row + 1) * sizes.keyLength * width,
        );
      }
    }
    const allowed: Allowed = (_b, h, i, j) => j < 4 && i < 2 && h < 3;
    const mask = truth((x) => and(lt(x('key', index), 4), lt(x('query', index), 2), lt(x('head', index), 3)));
    for (const name of Object.keys(forms) as (keyof typeof forms)[]) {
      const program = attention({ normalizer: forms[name], mask });
      await compare(
        program,
        expected((scores) => (scores.length ? plainly[name](scores) : []), given, allowed),
        given,
      );
    }
  });

  it('keeps levels: log-sum-exp, the position of the largest, -infinity for an empty row', async () => {
    const of = { batches: 1, heads: 1, keyHeads: 1, queryLength: 2, keyLength: 3 };
    const keep = { level: true, weights: false } as const;
    const score = float((x) => x('bias', scalar));
    const inputs = { v: rows.v, bias: { type: scalar, dtype: 'float64', along: ['query', 'key'] } } as const;
    const mask = truth((x) => lt(x('query', index), 1));
    const bench = await Bench.open();
    const views = {
      bias: bench.full([2, 3], [1, 5, 5, 0, 0, 0]),
      v: bench.full([1, 1, 3, VALUE], noise(6, 1)),
    };
    for (const [name, level] of Object.entries({
      softmax: Math.log(Math.exp(1) + 2 * Math.exp(5)),
      argmax: 1,
      sparsemax: 4.5,
    })) {
      const normalizer = forms[name as 'softmax'];
      const program = attention({ inputs, score, mask, keep, normalizer });
      const found = await bench.result(
        program,
        views,
        { context: [1, 1, 2, VALUE], level: [1, 1, 2] },
        { sizes: of },
      );
      expectClose([found.level[0]!], [level]);
      expect(found.level[1]).toBe(-Infinity);
      expect(found.context.slice(VALUE)).toEqual([0, 0]);
    }
  });

  it('takes scores of any size, and scores of -infinity as keys that take no weight', async () => {
    const of = { batches: 1, heads: 1, keyHeads: 1, queryLength: 3, keyLength: 2 };
    const inputs = { v: rows.v, bias: { type: scalar, dtype: 'float64', along: ['query', 'key'] } } as const;
    const bench = await Bench.open();
    const views = {
      bias: bench.full([3, 2], [1e6, -1e300, -Infinity, -2000, -Infinity, -Infinity]),
      v: bench.full([1, 1, 2, VALUE], [1, 2, 3, 4]),
    };
    for (const name of ['softmax', 'sparsemax', 'argmax'] as const) {
      const program = attention({ inputs, score: float((x) => x('bias', scalar)), normalizer: forms[name] });
      const found = await bench.result(
        program,
        views,
        { context: [1, 1, 3, VALUE], weights: [1, 1, 3, 2] },
        { sizes: of },
      );
      expect(found.weights, name).toEqual([1, 0, 0, 1, 0, 0]);
      expect(found.context, name).toEqual([1, 2, 3, 4, 0, 0]);
    }
  });

  it('is exact for softmax where the level cannot be', async () => {
    const of = { batches: 1, heads: 1, keyHeads: 1, queryLength: 1, keyLength: 4 };
    const inputs = { v: rows.v, bias: { type: scalar, dtype: 'float64', along: ['key'] } } as const;
    const bench = await Bench.open();
    const views = {
      bias: bench.full([4], [1e300, -1e300, 1e300, 0]),
      v: bench.full([1, 1, 4, VALUE], noise(8, 1)),
    };
    const program = attention({ inputs, score: float((x) => x('bias', scalar)) });
    const wanted = { context: [1, 1, 1, VALUE], weights: [1, 1, 1, 4] };
    expect((await bench.result(program, views, wanted, { sizes: of })).weights).toEqual([0.5, 0, 0.5, 0]);
  });

  it('reweights after normalising, and averages only what it weighs', async () => {
    const reweight = float((x) => add(toFloat(x('key', index)), x('shift', scalar)));
    const program = attention({ reweight, uniforms: { shift: 'float' } });
    const bench = await Bench.open();
    const given = numbers();
    const found = await bench.result(program, upload(bench, given), shapes(), {
      sizes,
      uniforms: { shift: 0.5 },
    });
    const wanted = expected(plainly.softmax, given, undefined, { reweight: (_b, _h, _i, j) => j + 0.5 });
    expectClose(found.context, wanted.context);
    expectClose(found.weights, wanted.weights);
  });

  it('reads tables, biases of pairs, and every place', async () => {
    const along = ['head', 'query', 'key'] as const;
    const inputs = {
      ...rows,
      bias: { type: scalar, dtype: 'float64', along },
      relative: { type: table(2), dtype: 'float64', along: ['batch'] },
    } as const;
    const score = float((x) => {
      const read = at(x('relative', table(2)), x('head', index), add(x('key', index), -1));
      return add(
        add(add(x('base', scalar), x('bias', scalar)), read),
        toFloat(mul(x('keyHead', index), x('keyLength', index))),
      );
    });
    const bias = noise(4 * 3 * 5, 7);
    const relative = noise(2 * 4 * 3, 8);
    const base = noise(2 * 5, 9);
    await compare(
      attention({
        inputs: { ...inputs, base: { type: scalar, dtype: 'float64', along: ['batch', 'key'] } },
        score,
      }),
      expected(plainly.softmax, numbers(), undefined, {
        score: (b, h, i, j) =>
          base[b * 5 + j]! +
          bias[(h * 3 + i) * 5 + j]! +
          (j - 1 >= 0 && j - 1 < 3 ? relative[(b * 4 + h) * 3 + j - 1]! : 0) +
          Math.floor(h / 2) * 5,
      }),
      numbers(),
      (bench) => ({
        bias: bench.full([4, 3, 5], bias),
        relative: bench.full([2, 4, 3], relative),
        base: bench.full([2, 5], base),
      }),
    );
  });

  it('pools weights: sums over blocks of keys, means over blocks of queries', async () => {
    const bench = await Bench.open();
    const given = numbers();
    const program = attention({ keep: { level: false, weights: { pool: 2 } }, mask: causal });
    const blocks = { context: shapes().context, weights: [2, 4, 2, 3] };
    const { weights } = await bench.result(program, upload(bench, given), blocks, { sizes });
    const whole = expected(plainly.softmax, given, (_b, _h, i, j) => j <= i).weights;
    const at = (row: number, i: number, j: number) => (i < 3 && j < 5 ? whole[(row * 3 + i) * 5 + j]! : 0);
    const wanted = [];
    for (let row = 0; row < 8; row++) {
      for (const i of [0, 2]) {
        for (const j of [0, 2, 4]) {
          const sum = at(row, i, j) + at(row, i, j + 1) + at(row, i + 1, j) + at(row, i + 1, j + 1);
          wanted.push(sum / (i === 0 ? 2 : 1));
        }
      }
    }
    expectClose(weights, wanted);
  });

  it('takes axes of no length', async () => {
    const bench = await Bench.open();
    for (const axis of ['batches', 'queryLength', 'keyLength'] as const) {
      const of = { ...sizes, [axis]: 0 };
      const found = await bench.result(attention(), upload(bench, numbers(of), of), shapes(of), {
        sizes: of,
      });
      expect(found.context.every((one) => one === 0)).toBe(true);
      expect(found.weights).toEqual([]);
    }
  });

  it('reads rows through any strides and stores in float32', async () => {
    const bench = await Bench.open();
    const given = numbers();
    const inputs = upload(bench, given);
    // [batch, query, head, feature] in memory, seen as [batch, head, query, feature].
    const turned: number[] = [];
    for (let b = 0; b < 2; b++) {
      for (let i = 0; i < 3; i++) {
        for (let h = 0; h < 4; h++) {
          for (let d = 0; d < FEATURE; d++) turned.push(given.q[((b * 4 + h) * 3 + i) * FEATURE + d]!);
        }
      }
    }
    const q = { ...bench.full([2, 4, 3, FEATURE], turned), strides: [36, 3, 12, 1] };
    const program = attention({ dtype: 'float32' });
    const found = await bench.result(program, { ...inputs, q }, shapes(), { sizes, dtype: 'float32' });
    const wanted = expected(plainly.softmax, given);
    expect(found.context).toEqual(wanted.context.map(Math.fround));
    expect(found.weights).toEqual(wanted.weights.map(Math.fround));
  });

  it('keeps levels in no fewer than 32 bits', async () => {
    const bench = await Bench.open();
    const program = attention({ dtype: 'float16', keep: { level: true, weights: false } });
    const inputs = upload(bench, numbers());
    const [context, level] = [bench.empty(shapes().context, 'float16'), bench.empty([2, 4, 3], 'float32')];
    bench.run(program, { inputs, outputs: { context, level }, sizes });
    const exact = attention({ keep: { level: true, weights: false } });
    const found = await bench.result(
      exact,
      inputs,
      { context: shapes().context, level: [2, 4, 3] },
      { sizes },
    );
    expect(await bench.read(level)).toEqual(found.level.map(Math.fround));
    expect(await bench.read(context)).toEqual(found.context.map((one) => fromFloat16(toFloat16(one))));
  });

  it('refuses programs that contradict themselves, and calls of other shapes', async () => {
    const bench = await Bench.open();
    const refused = (changes: Partial<AttendProgram>) => () => bench.backend.compile(attention(changes));
    expect(refused({ value: 'w' })).toThrow('attend: expected the value "w" among the inputs, got q, k, v');
    expect(refused({ score: float((x) => x('level', scalar)) })).toThrow(
      'attend: score: expected a name among',
    );
    expect(refused({ mask: truth((x) => ne(x('key', scalar), 0)) })).toThrow(
      'to be read as index, got scalar',
    );
    expect(refused({ normalizer: forms.sigmoid, keep: { level: true, weights: false } })).toThrow(
      'expected a level to keep, got a normalizer that has none',
    );
    const byKey = float((x) => toFloat(x('key', index)));
    expect(refused({ normalizer: { ...forms.softmax, sink: byKey } })).toThrow('attend: sink');
    expect(refused({ keep: { level: false, weights: { pool: 0 } } })).toThrow(
      'expected a pool of one or more, got 0',
    );
    const inputs = upload(bench, numbers());
    const wrong = { ...inputs, k: inputs.q! };
    await expect(bench.result(attention(), wrong, shapes(), { sizes })).rejects.toThrow(
      'attend: input "k": expected [batch, keyHead, key, feature] = [2, 2, 5, 3], got [2, 4, 3, 3].',
    );
  });
});
