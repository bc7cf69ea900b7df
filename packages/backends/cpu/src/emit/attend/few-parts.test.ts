// Keys shared out among units: the same results as from one, wherever the borders of parts lie.

import { allowed, causal, padding, window } from '@heed/masks';
import { sigmoid, softmax } from '@heed/normalizers';
import { additive, scaledDot } from '@heed/scores';
import type { AttendProgram } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { compare, run } from '../../../../trials/attend.fixture.ts';
import {
  Draw,
  type Lengths,
  programOf,
  type Scene,
  sceneOf,
  type Tensor,
} from '../../../../trials/scene.fixture.ts';
import { FEW_BLOCK } from './layout.ts';
import { open } from './open.fixture.ts';

/** Values so wide that a block of keys is worth a part. */
const wide = { features: 8, valueFeatures: 64 };
const level = { ...wide, keep: { level: true, weights: false } } as const;
const few: Lengths = { batch: 1, head: 1, keyHead: 1, query: 7, key: 5 * FEW_BLOCK };

/** The same scene with other pairs allowed. */
function allowing(scene: Scene, which: (query: number, key: number) => boolean): Scene {
  const { lengths, inputs } = scene;
  const { shape, data } = inputs.allowed as Tensor;
  const chosen = data.map((_, i) =>
    which(Math.floor(i / lengths.key) % lengths.query, i % lengths.key) ? 1 : 0,
  );
  return { ...scene, inputs: { ...inputs, allowed: { shape, data: chosen } } };
}

const without = (part: number) => (_: number, key: number) => Math.floor(key / FEW_BLOCK) !== part;

describe.each([1, 2, 3])('few queries on %i threads', (threads) => {
  it('are right at all borders of parts', async () => {
    const backend = await open({ threads });
    const program = programOf({ score: scaledDot(), normalizer: softmax() }, level);
    for (const blocks of [0, 1, 2, 3, 8, 13])
      for (const more of [-1, 0, 1]) {
        const key = blocks * FEW_BLOCK + more;
        if (key < 0) continue;
        for (const query of [1, 7]) {
          await compare(backend, sceneOf(program, { ...few, query, key }, new Draw(key)), new Draw(query));
        }
      }
    await backend.close();
  });

  it('are right where queries, heads or batches are none, and where heads share keys', async () => {
    const backend = await open({ threads });
    const program = programOf({ score: scaledDot(), normalizer: softmax() }, level);
    for (const some of [
      { query: 0 },
      { batch: 0 },
      { head: 0, keyHead: 0 },
      { head: 6, keyHead: 3 },
      { batch: 3 },
    ])
      for (const placing of ['plain', 'rows'] as const)
        await compare(backend, sceneOf(program, { ...few, ...some }, new Draw(1)), new Draw(1), placing);
    await backend.close();
  });

  it('are right where masks leave a part without keys', async () => {
    const backend = await open({ threads });
    for (const normalizer of [softmax(), softmax({ sink: 'learned' })]) {
      const by = (mask: NonNullable<Parameters<typeof programOf>[0]['mask']>): AttendProgram =>
        programOf({ score: scaledDot(), normalizer, mask }, level);
      const chosen = sceneOf(by(allowed()), few, new Draw(2));
      // A part that no row sees, none that any sees, and rows that see one part each or nothing.
      const alone = (query: number, key: number): boolean => Math.floor(key / FEW_BLOCK) === query;
      for (const which of [without(0), without(2), without(4), () => false, alone])
        await compare(backend, allowing(chosen, which), new Draw(2));
      for (const mask of [
        padding(),
        causal({ align: 'end' }),
        causal({ align: 'start' }),
        window({ left: 40, right: 0, align: 'end' }),
        window({ left: 300, right: 0, align: 'end' }),
      ])
        await compare(backend, sceneOf(by(mask), few, new Draw(3)), new Draw(3));
    }
    await backend.close();
  });

  it('are right by weights that nothing normalizes, by other scores, and in fewer bits', async () => {
    const backend = await open({ threads });
    const programs = [
      programOf({ score: scaledDot(), normalizer: sigmoid(), mask: causal({ align: 'end' }) }, wide),
      programOf({ score: additive({ hidden: 6 }), normalizer: softmax() }, level),
      programOf({ score: scaledDot(), normalizer: softmax() }, { ...level, stored: 'bfloat16' }),
      programOf({ score: scaledDot(), normalizer: softmax() }, { ...level, dtype: 'float16' }),
    ];
    for (const program of programs) await compare(backend, sceneOf(program, few, new Draw(4)), new Draw(4));
    await backend.close();
  });

  it('are right where the largest score lies in any part, however far above the others', async () => {
    const backend = await open({ threads });
    const program = programOf({ score: scaledDot(), normalizer: softmax({ sink: 'learned' }) }, level);
    for (const part of [0, 2, 4])
      for (const by of [1e3, -1e3]) {
        const scene = sceneOf(program, { ...few, query: 1 }, new Draw(5));
        const { data } = scene.inputs.k as { data: Float64Array };
        const from = (part * FEW_BLOCK + 5) * wide.features;
        for (let i = from; i < from + wide.features; i++) data[i] = Math.fround((data[i] as number) * by);
        await compare(backend, scene, new Draw(5));
      }
    await backend.close();
  });

  it('share out their keys only where threads would go without work', async () => {
    const backend = await open({ threads });
    const program = programOf({ score: scaledDot(), normalizer: softmax() }, wide);
    const splits = async (lengths: Lengths): Promise<boolean> => {
      const kernel = backend.compile(program);
      const compile = backend.compile.bind(backend);
      backend.compile = () => kernel;
      await run(backend, sceneOf(program, lengths, new Draw(6)), new Draw(6));
      backend.compile = compile;
      return kernel.notes.some((note) => note.includes('parts of the keys'));
    };
    expect(await splits({ ...few, key: 2 * FEW_BLOCK - 1 })).toBe(false);
    expect(await splits({ ...few, key: 2 * FEW_BLOCK })).toBe(threads > 1);
    expect(await splits({ ...few, head: 16, keyHead: 1 })).toBe(false);
    await backend.close();
  });

  it('give the same bits every time', async () => {
    const backend = await open({ threads });
    const program = programOf({ score: scaledDot(), normalizer: softmax() }, level);
    const scene = sceneOf(program, { ...few, query: 1, key: 20_000 }, new Draw(7));
    const first = await run(backend, scene, new Draw(7));
    for (let again = 0; again < 5; again++) expect(await run(backend, scene, new Draw(7))).toEqual(first);
    await backend.close();
  });
});
