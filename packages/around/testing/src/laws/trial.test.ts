import { compose } from '@heed/attention';
import { expect, it } from 'vitest';
import { settle } from './options.ts';
import { plainDot, plainSoftmax } from './plain.ts';
import { trials } from './trial.ts';

const spec = compose({ score: plainDot(), normalizer: plainSoftmax() }, false);

it('scenes have as many queries and keys as the law and the settings ask for, whichever is more', async () => {
  const fewest = async (ofSettings: number, ofLaw: number): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    await trials(spec, settle({ least: ofSettings, runs: 40 }), { least: ofLaw }, async ({ scene }) => {
      least = Math.min(least, scene.lengths.query, scene.lengths.key);
    });
    return least;
  };
  expect([await fewest(0, 0), await fewest(4, 1), await fewest(0, 1), await fewest(9, 0)]).toEqual([
    0, 4, 1, 6,
  ]);
});
