import * as e from '@heed/expr';
import { bias, causal } from '@heed/masks';
import { sigmoid, softmax } from '@heed/normalizers';
import { additive, dot, laplace, scaledDot } from '@heed/scores';
import type { AttendProgram } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { compare, keepsOut, run } from '../../../../trials/attend.fixture.ts';
import {
  everything,
  lengths,
  levelless,
  masks,
  modifiers,
  normalizers,
  scores,
} from '../../../../trials/parts.fixture.ts';
import { Draw, programOf, sceneOf } from '../../../../trials/scene.fixture.ts';
import { open, widths } from './open.fixture.ts';

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

  const byWidth = Object.keys(masks).flatMap((name) =>
    widths.map(([width, openAs]) => ({ name, width, openAs })),
  );
  it.each(byWidth)('masks by $name, by tiles of $width', async ({ name, openAs }) => {
    const backend = await openAs();
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
  it.each(['float16', 'bfloat16', 'int8'] as const)(
    'reads keys and values stored in %s',
    async (stored) => {
      const backend = await open();
      for (const score of [scaledDot(), laplace()]) {
        const options = { ...everything(), stored };
        const program = programOf({ score, normalizer: softmax() }, { ...options, features: 9 });
        for (const placing of ['plain', 'anyhow'] as const)
          await compare(
            backend,
            sceneOf(program, { ...lengths, key: 200 }, new Draw(6)),
            new Draw(6),
            placing,
          );
        // Few queries read rows whole vectors at a time, stretch by stretch.
        for (const features of [9, 76]) {
          const keep = { level: true, weights: false } as const;
          const few = programOf(
            { score, normalizer: softmax() },
            { keep, stored, features, valueFeatures: features - 1 },
          );
          await compare(backend, sceneOf(few, { ...lengths, query: 2, key: 150 }, new Draw(6)), new Draw(6));
        }
      }
      await backend.close();
    },
    20_000,
  );

  it('reads infinity and NaN in float16, of few queries too', async () => {
    const backend = await open();
    const options = { ...everything('sigmoid'), stored: 'float16', features: 8, valueFeatures: 6 } as const;
    const program = programOf({ score: scaledDot(), normalizer: sigmoid() }, options);
    for (const query of [2, 20]) {
      const keep = { level: false, weights: query > 8 };
      const scene = sceneOf({ ...program, keep }, { ...lengths, query, key: 150 }, new Draw(9));
      const [k, value] = (['k', 'value'] as const).map((name) => scene.inputs[name]?.data as Float64Array);
      k?.set([Infinity], 8 * 20 + 3);
      value?.set([Infinity, -Infinity, NaN], 6 * 140);
      await compare(backend, scene, new Draw(9));
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

  it.each(widths)(
    'keeps what masked keys and values hold out of every result, by tiles of %s',
    async (_, openAs) => {
      const backend = await openAs();
      for (const score of [scaledDot(), additive({ hidden: 5 }), laplace()]) {
        for (const [name, normalizer] of Object.entries(normalizers)) {
          for (const weights of [false, true]) {
            const options = { score, normalizer, mask: causal({ align: 'start' }) };
            const program = programOf(options, { keep: { level: !levelless.has(name), weights } });
            for (const query of [30, 5]) await keepsOut(backend, program, { ...lengths, query, key: 30 });
          }
        }
      }
      await backend.close();
    },
  );

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
