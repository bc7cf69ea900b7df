// Random scenes by fast-check: a failure is shrunk, and its message ends with the seed that brings it back.

import type { Spec } from '@heed/attention';
import type { Sizes } from '@heed/expr';
import fc from 'fast-check';
import { Random } from '../random.ts';
import { type AxisLengths, draw, lengthsOf, type Scene } from '../scene/scene.ts';
import type { Settings } from './options.ts';

export interface Trial {
  readonly scene: Scene;
  readonly random: Random;
}

export interface TrialOptions {
  /** The fewest queries and keys that the law speaks of; the settings may ask for more. */
  readonly least?: number;
  /** The most queries and keys. */
  readonly most?: number;
  /** Rounds floats to what the device stores. */
  readonly round?: (value: number) => number;
}

/** Runs `body` on random scenes for the spec. @throws an error with seed, counterexample and what went wrong. */
export async function trials(
  spec: Spec,
  settings: Settings,
  { least = 0, most = 6, round = settings.round ?? ((one) => one) }: TrialOptions,
  body: (trial: Trial) => Promise<void>,
): Promise<void> {
  const fewest = Math.min(most, Math.max(least, settings.least ?? 0));
  const scenes = fc.record({
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    batch: fc.integer({ min: 1, max: 2 }),
    keyHead: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    query: fc.integer({ min: fewest, max: most }),
    key: fc.integer({ min: fewest, max: most }),
  });
  await fc.assert(
    fc.asyncProperty(scenes, async ({ seed, batch, keyHead, group, query, key }) => {
      const lengths = accepted(spec, settings.sizes ?? {}, {
        batch,
        head: keyHead * group,
        keyHead,
        query,
        key,
      });
      fc.pre(lengths !== null);
      const random = new Random(seed);
      await body({ scene: draw(spec, lengths as AxisLengths, random, { ...settings, round }), random });
    }),
    { numRuns: settings.runs, seed: settings.seed, endOnFailure: false },
  );
}

/** The lengths, or the nearest that the parts do not refuse. */
function accepted(spec: Spec, fixed: Sizes, lengths: AxisLengths): AxisLengths | null {
  const square = { ...lengths, key: lengths.query };
  const sizes = { ...spec.sizes, ...fixed };
  const candidates = [
    lengths,
    square,
    { ...square, head: lengths.keyHead },
    { ...square, head: 1, keyHead: 1 },
  ];
  return candidates.find((one) => spec.refuse(lengthsOf(one), sizes) === null) ?? null;
}
