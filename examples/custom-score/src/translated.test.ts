import { scoreLaws } from '@heed/testing';
import { createHeed, HeedError, ops } from 'heed';
import { describe, expect, it } from 'vitest';
import { plugin, translated } from './index.ts';

// Value on the backend, staging, gradients, printing, permutation, separation: the laws that heed's own scores obey.
scoreLaws(translated(), { describe, it });

const open = async () => (await createHeed()).use(plugin);

describe('translated', () => {
  it('is found by its name, with its options', async () => {
    const heed = await open();
    const attend = heed.attention({ score: { name: 'translated', sharpness: 2 }, mask: 'causal' });
    expect(attend.label).toBe('translated(sharpness: 2) | causal | softmax');
    // @ts-expect-error: another option
    expect(() => heed.attention({ score: { name: 'translated', sharp: 2 } })).toThrow(HeedError);
    await heed.close();
  });

  it('is the distance from the moved query', async () => {
    const heed = await open();
    const attend = heed.attention({ score: 'translated' });
    const params = { r: heed.tensor([3, 0]) };
    const keys = heed.tensor([
      [3, 1],
      [0, 4],
      [6, -4],
    ]);
    const scores = attend.scores(heed.tensor([[0, 0]]), keys, { params });
    expect(await scores.toNested()).toEqual([[-1, -5, -5]]);
    await heed.close();
  });

  it('moves r towards the keys that should be found', async () => {
    const heed = await open();
    const attend = heed.attention({ score: 'translated' });
    const params = heed.parameters(attend, { seed: 1, sizes: { feature: 1 } });
    const keys = heed.tensor([[-1], [1]]);
    // Scores: -|r + 1| and -|r - 1|; with values 0 and 1 the context is sigmoid(|r + 1| - |r - 1|), of slope 2 / 4 at 0.
    ops.sum(attend(heed.tensor([[0]]), keys, heed.tensor([[0], [1]]), { params })).backward();
    expect(await params.r?.gradient?.toNested()).toEqual([0.5]);
    await heed.close();
  });
});
