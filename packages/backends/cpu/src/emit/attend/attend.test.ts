import type { AttentionOptions } from '@heed/attention';
import * as e from '@heed/expr';
import {
  alibi,
  allOf,
  allowed,
  anyOf,
  bias,
  blockLocal,
  causal,
  dilated,
  document,
  except,
  localGaussian,
  padding,
  prefix,
  queryPadding,
  relativeTable,
  softcap,
  strided,
  temperature,
  window,
} from '@heed/masks';
import { entmax, entmax15, hard, identity, relu, sigmoid, softmax, sparsemax } from '@heed/normalizers';
import {
  additive,
  concat,
  cosine,
  dot,
  gaussian,
  general,
  laplace,
  linear,
  scaledDot,
  trilinear,
} from '@heed/scores';
import type { AttendProgram, Backend } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpu } from '../../index.ts';
import {
  compare,
  Draw,
  type Lengths,
  type ProgramOptions,
  programOf,
  run,
  sceneOf,
} from './attend.fixture.ts';

const open = (options: Parameters<typeof cpu>[0] = {}): Promise<Backend> =>
  cpu({ poison: true, ...options }).open();

const scores: Readonly<Record<string, AttentionOptions['score']>> = {
  dot: dot(),
  scaledDot: scaledDot(),
  general: general(),
  cosine: cosine(),
  additive: additive({ hidden: 7 }),
  concat: concat({ hidden: 8 }),
  gaussian: gaussian(),
  laplace: laplace(),
  linear: linear(),
  trilinear: trilinear(),
};
const masks: Readonly<Record<string, NonNullable<AttentionOptions['mask']>>> = {
  causal: causal({ align: 'start' }),
  'causal, at the end': causal({ align: 'end' }),
  window: window({ left: 5, right: 2, align: 'start' }),
  prefix: prefix({ align: 'start' }),
  padding: padding(),
  'query padding': queryPadding(),
  document: document(),
  dilated: dilated({ stride: 3, align: 'start' }),
  strided: strided({ stride: 4, align: 'start' }),
  'blocks of keys': blockLocal({ block: 5, align: 'start' }),
  allowed: allowed(),
  'not causal': except(causal({ align: 'start' })),
  'all of': allOf(causal({ align: 'lengths' }), padding()),
  'any of': anyOf(window({ left: 1, right: 1, align: 'start' }), padding()),
  'not a window': except(window({ left: 9, right: 9, align: 'end' })),
};
const normalizers: Readonly<Record<string, NonNullable<AttentionOptions['normalizer']>>> = {
  softmax: softmax(),
  'softmax with a sink': softmax({ sink: 'learned' }),
  sparsemax: sparsemax(),
  entmax15: entmax15(),
  entmax: entmax({ alpha: 1.3 }),
  hard: hard(),
  sigmoid: sigmoid(),
  relu: relu(),
  identity: identity(),
};
const modifiers: Readonly<Record<string, NonNullable<AttentionOptions['modifiers']>[number]>> = {
  alibi: alibi({ align: 'start' }),
  softcap: softcap(),
  temperature: temperature(),
  bias: bias(),
  relativeTable: relativeTable({ max: 4, align: 'start' }),
};
const levelless = new Set(['sigmoid', 'relu', 'identity']);
const lengths: Lengths = { batch: 2, head: 4, keyHead: 2, query: 13, key: 22 };
const everything = (name = 'softmax'): ProgramOptions => ({
  keep: { level: !levelless.has(name), weights: true },
});

/** An attention of random parts over random numbers, somewhere in memory. */
async function tryParts(backend: Backend, draw: Draw, few: boolean): Promise<void> {
  const name = draw.pick(few ? ['softmax', 'softmax with a sink', 'sigmoid'] : Object.keys(normalizers));
  const options: AttentionOptions = {
    score: draw.pick(Object.values(scores)),
    normalizer: normalizers[name] as never,
    ...(draw.flip() ? { mask: draw.pick(Object.values(masks)) } : {}),
    // A soft cap brings scores so close to each other that float32 may find another largest one.
    ...(name !== 'hard' && draw.flip(0.3) ? { modifiers: [draw.pick(Object.values(modifiers))] } : {}),
    ...(draw.flip(0.2) ? { reweight: [localGaussian({ window: 6 })] } : {}),
  };
  const program = programOf(options, {
    features: draw.pick([1, 2, 3, 4, 5, 8, 16, 31, 70]),
    valueFeatures: draw.pick([0, 1, 3, 4, 6, 7, 13, 32, 37]),
    keep: {
      level: !levelless.has(name) && draw.flip(),
      weights: few ? false : draw.pick([false, true, { pool: 1 }, { pool: 3 }, { pool: 16 }, { pool: 40 }]),
    },
    dtype: draw.pick(['float32', 'float32', 'float16', 'bfloat16']),
  });
  const keyHead = draw.integer(1, 2);
  const drawn: Lengths = {
    batch: draw.pick([0, 1, 1, 2, 2]),
    head: keyHead * draw.integer(1, 2),
    keyHead,
    query: draw.pick(few ? [1, 2, 7] : [0, 1, 2, 7, 8, 9, 17, 33, 50]),
    key: draw.pick([0, 1, 2, 5, 6, 7, 12, 31, 64, 193, 200]),
  };
  const placing = draw.pick<'plain' | 'anyhow' | 'rows'>(['plain', 'anyhow', 'rows']);
  await compare(backend, sceneOf(program, drawn, draw), draw, placing);
}

/** What no part of @heed/scores needs: vectors of pairs, matrices, tables by query, positions within vectors. */
const rows = { q: e.vec('feature'), k: e.vec('feature') };
const formula = (write: Parameters<typeof e.trace<e.Scalar>>[2]): e.Expr<e.Scalar> =>
  e.trace('test', e.scalar, write as never);
const formulas: Readonly<Record<string, { inputs: AttendProgram['inputs']; score: e.Expr<e.Scalar> }>> = {
  'a vector for each pair': {
    inputs: { r: { type: rows.k, dtype: 'float32', along: ['head', 'query', 'key'] } },
    score: formula((x) =>
      e.add(e.dot(x('q', rows.q), x('r', rows.k)), e.norm(e.sub(x('k', rows.k), x('r', rows.k)))),
    ),
  },
  'a matrix between the rows': {
    inputs: { m: { type: e.mat('feature', 'feature'), dtype: 'bfloat16', along: ['batch', 'query'] } },
    score: formula((x) =>
      e.dot(
        x('k', rows.k),
        e.matvec(x('m', e.mat('feature', 'feature')), e.tanh(e.sub(x('q', rows.q), x('k', rows.k)))),
      ),
    ),
  },
  'a matrix of keys': {
    inputs: { m: { type: e.mat('feature', 'feature'), dtype: 'float32', along: ['keyHead', 'key'] } },
    score: formula((x) => e.max(e.vecmat(x('q', rows.q), x('m', e.mat('feature', 'feature'))))),
  },
  'one element, and neighbours': {
    inputs: { at: { type: e.index, dtype: 'int32', along: ['query', 'key'] } },
    score: formula((x) =>
      e.add(
        e.pick(e.mul(x('q', rows.q), x('k', rows.k)), x('at', e.index)),
        e.min(e.concat(x('q', rows.q), x('k', rows.k))),
      ),
    ),
  },
  'tables by query and by key': {
    inputs: {
      t: { type: e.table(2), dtype: 'float32', along: ['head', 'query'] },
      w: { type: e.table(1, rows.k), dtype: 'float16', along: ['key'] },
    },
    score: formula((x) => {
      const [query, key] = [x('query', e.index), x('key', e.index)];
      const entry = e.at(x('t', e.table(2)), e.sub(query, key), e.mod(key, 5));
      return e.add(entry, e.dot(x('q', rows.q), e.at(x('w', e.table(1, rows.k)), e.sub(key, query))));
    }),
  },
  'random numbers': {
    inputs: {},
    score: formula((x) =>
      e.mul(
        e.random(x('batch', e.index), x('head', e.index), x('query', e.index), x('key', e.index)),
        e.dot(x('q', rows.q), x('k', rows.k)),
      ),
    ),
  },
  'nothing of the rows': {
    inputs: {},
    score: formula((x) => e.neg(e.toFloat(e.abs(e.sub(x('query', e.index), x('key', e.index)))))),
  },
};

describe('attend', () => {
  it.each(Object.keys(scores))('scores by %s', async (name) => {
    const backend = await open();
    const options = { score: scores[name] as never, normalizer: softmax() };
    for (const features of [1, 8, 13]) {
      const program = programOf(options, { ...everything(), features, valueFeatures: features + 2 });
      await compare(backend, sceneOf(program, lengths, new Draw(features)), new Draw(1));
    }
    await backend.close();
  });

  it.each(Object.keys(masks))('masks by %s', async (name) => {
    const backend = await open();
    const options = { score: scaledDot(), mask: masks[name] as never, normalizer: softmax() };
    const program = programOf(options, everything());
    for (const [query, key] of [
      [13, 22],
      [40, 40],
      [70, 230],
    ] as const)
      await compare(backend, sceneOf(program, { ...lengths, query, key }, new Draw(key)), new Draw(2));
    await backend.close();
  });

  it.each(Object.keys(normalizers))('normalizes by %s', async (name) => {
    const backend = await open();
    const normalizer = normalizers[name] as never;
    const program = programOf({ score: scaledDot(), normalizer }, everything(name));
    const masked = programOf(
      { score: scaledDot(), normalizer, mask: causal({ align: 'start' }) },
      everything(name),
    );
    await compare(backend, sceneOf(program, lengths, new Draw(3)), new Draw(3));
    await compare(backend, sceneOf(masked, { ...lengths, query: 40, key: 210 }, new Draw(4)), new Draw(4));
    await backend.close();
  });

  it.each(Object.keys(modifiers))('modifies by %s', async (name) => {
    const backend = await open();
    const options = { score: scaledDot(), modifiers: [modifiers[name] as never], normalizer: softmax() };
    await compare(
      backend,
      sceneOf(programOf(options, everything()), lengths, new Draw(5)),
      new Draw(5),
      'anyhow',
    );
    await backend.close();
  });

  it('is right for any lengths, strides, parts and features', async () => {
    const backend = await open();
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), false)),
      { numRuns: 60 },
    );
    await backend.close();
  }, 60_000);

  it('is right for few queries, which are done one by one', async () => {
    const backend = await open();
    const seeds = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(seeds, (seed) => tryParts(backend, new Draw(seed), true)),
      { numRuns: 60 },
    );
    await backend.close();
  }, 60_000);

  it.each(Object.keys(formulas))('computes any formula: %s', async (name) => {
    const backend = await open();
    const { inputs, score } = formulas[name] as (typeof formulas)[string];
    const plain = programOf({ score: dot(), normalizer: softmax() }, everything());
    const program: AttendProgram = { ...plain, inputs: { ...plain.inputs, ...inputs }, score };
    for (const query of [3, 19])
      for (const keep of [program.keep, { level: false, weights: false }]) {
        const scene = sceneOf({ ...program, keep }, { ...lengths, query }, new Draw(query), { scale: 0.5 });
        await compare(backend, scene, new Draw(query), 'anyhow');
      }
    await backend.close();
  });

  it('reads keys and values stored in fewer bits', async () => {
    const backend = await open();
    for (const stored of ['float16', 'bfloat16', 'int8'] as const) {
      for (const score of [scaledDot(), laplace()]) {
        const program = programOf({ score, normalizer: softmax() }, { ...everything(), stored, features: 9 });
        for (const placing of ['plain', 'anyhow'] as const)
          await compare(
            backend,
            sceneOf(program, { ...lengths, key: 200 }, new Draw(6)),
            new Draw(6),
            placing,
          );
      }
    }
    await backend.close();
  });

  it('leaves the exponentials outside the loop only within their guards', async () => {
    const backend = await open();
    const program = programOf({ score: additive({ hidden: 6 }), normalizer: softmax() }, everything());
    const scene = sceneOf(program, { ...lengths, query: 20, key: 250 }, new Draw(7));
    // Far beyond the guard in a few rows of either side: tanh is then exactly one, and no product overflows.
    for (const name of ['query$0', 'key$0']) {
      const { data } = scene.inputs[name] as { data: Float64Array };
      for (let i = 0; i < data.length; i += 97) data[i] = i % 2 === 0 ? 60 : -60;
    }
    await compare(backend, scene, new Draw(7));
    await backend.close();
  });

  it('keeps what masked keys and values hold out of every result', async () => {
    const backend = await open();
    const [seen, drawn] = [11, { ...lengths, query: 30, key: 30 }];
    for (const score of [scaledDot(), additive({ hidden: 5 }), laplace()]) {
      for (const [name, normalizer] of Object.entries(normalizers)) {
        for (const weights of [false, true]) {
          const options = { score, normalizer, mask: causal({ align: 'start' }) };
          const program = programOf(options, { keep: { level: !levelless.has(name), weights } });
          for (const query of [drawn.query, 5]) {
            const clean = sceneOf(program, { ...drawn, query }, new Draw(8));
            const before = await run(backend, clean, new Draw(8));
            // Keys from there on: queries before see none of them.
            const inputs = Object.fromEntries(
              Object.entries(clean.inputs).map(([input, { shape, data }]) => {
                const along = program.inputs[input]?.along ?? [];
                if (!along.includes('key')) return [input, { shape, data }];
                const width = shape.slice(along.indexOf('key') + 1).reduce((all, size) => all * size, 1);
                const bad = data.map((one, i) =>
                  Math.floor(i / width) % drawn.key < seen ? one : i % 2 === 0 ? Number.NaN : Infinity,
                );
                return [input, { shape, data: bad }];
              }),
            );
            const after = await run(backend, { ...clean, inputs }, new Draw(8));
            for (const [result, numbers] of Object.entries(after)) {
              const width = numbers.length / (drawn.batch * drawn.head * query);
              for (const [i, one] of numbers.entries()) {
                if (Math.floor(i / width) % query >= seen) continue;
                const was = (before[result] as Float64Array)[i] as number;
                if (one !== was) expect(Math.abs(one - was)).toBeLessThan(1e-5 * (1 + Math.abs(was)));
              }
            }
          }
        }
      }
    }
    await backend.close();
  });

  it('gives the same context with and without weights', async () => {
    const backend = await open();
    for (const normalizer of Object.values(normalizers)) {
      const contexts = [];
      for (const weights of [false, true, { pool: 4 }] as const) {
        const program = programOf(
          { score: scaledDot(), normalizer, mask: causal({ align: 'end' }) },
          { keep: { level: false, weights } },
        );
        contexts.push((await run(backend, sceneOf(program, lengths, new Draw(9)), new Draw(9))).context);
      }
      expect(contexts[1]).toEqual(contexts[0]);
      expect(contexts[2]).toEqual(contexts[0]);
    }
    await backend.close();
  });

  it('drops the pairs that the reference drops', async () => {
    const backend = await open();
    const program = programOf(
      { score: scaledDot(), normalizer: softmax(), dropout: 0.4 },
      { ...everything(), train: true },
    );
    await compare(backend, sceneOf(program, lengths, new Draw(10)), new Draw(10));
    await backend.close();
  });

  it('is within 3e-6 of float64 for normal inputs', async () => {
    const backend = await open();
    for (const mask of [undefined, causal()]) {
      const program = programOf(
        { score: scaledDot(), normalizer: softmax(), ...(mask ? { mask } : {}) },
        { features: 64, valueFeatures: 64 },
      );
      const scene = sceneOf(program, { batch: 1, head: 1, keyHead: 1, query: 100, key: 600 }, new Draw(11));
      const { reference } = await import('@heed/reference');
      const oracle = await reference().open();
      const [own, exact] = [await run(backend, scene, new Draw(1)), await run(oracle, scene, new Draw(1))];
      const furthest = Math.max(
        ...(own.context as Float64Array).map((one, i) =>
          Math.abs(one - ((exact.context as Float64Array)[i] as number)),
        ),
      );
      expect(furthest).toBeLessThan(3e-6);
    }
    await backend.close();
  });

  it('makes valid modules, with and without relaxed SIMD', async () => {
    for (const relaxed of [true, false]) {
      const backend = await open({ relaxed });
      for (const score of [scaledDot(), additive({ hidden: 6 })]) {
        const program = programOf(
          { score, normalizer: softmax(), mask: causal({ align: 'start' }) },
          everything(),
        );
        await compare(backend, sceneOf(program, lengths, new Draw(12)), new Draw(12));
      }
      await backend.close();
    }
  });

  it('says why it does not run what it does not run', async () => {
    const backend = await open();
    const program = programOf({ score: dot(), normalizer: softmax() }, {});
    const q = program.inputs.q as AttendProgram['inputs'][string];
    expect(backend.supports(program)).toBe(true);
    expect(backend.supports({ ...program, dtype: 'float64' })).toEqual({
      reason: expect.stringContaining('computes in float32'),
    });
    expect(
      backend.supports({ ...program, inputs: { ...program.inputs, q: { ...q, dtype: 'int32' } } }),
    ).toEqual({
      reason: 'the cpu backend reads "q" as what it is stored as (int32), not as float.',
    });
    expect(
      backend.supports({ ...program, inputs: { ...program.inputs, value: { ...q, type: e.scalar } } }),
    ).toEqual({
      reason: 'the cpu backend averages vectors.',
    });
    await backend.close();
  });

  it('softens nothing that is large', async () => {
    const backend = await open();
    const program = programOf(
      { score: scaledDot(), modifiers: [bias()], normalizer: softmax() },
      everything(),
    );
    const scene = sceneOf(program, lengths, new Draw(13));
    const { data } = scene.inputs.bias as { data: Float64Array };
    // Rows of the lowest float32, of -infinity, of large scores, and all of these together.
    data.forEach((_, i) => {
      const row = Math.floor(i / lengths.key) % 5;
      const some = [-3.4028234663852886e38, -Infinity, 1e6, Number.NaN];
      data[i] = row < 3 ? (some[row] as number) : row === 3 ? (some[i % 3] as number) : (data[i] as number);
    });
    await compare(backend, scene, new Draw(13));
    await backend.close();
  });
});
