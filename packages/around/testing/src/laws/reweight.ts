// The laws of reweights.

import { compose, type Reweight } from '@heed/attention';
import { ensureNear } from '../assert.ts';
import { Formula, type Position } from '../scene/formula.ts';
import type { Field, Scene } from '../scene/scene.ts';
import { type Data, largest } from '../tolerance.ts';
import { differentiates, flowsBack } from './gradient.ts';
import { groups, permutes, separates } from './independence.ts';
import { type Law, type Runner, register } from './law.ts';
import { directionsFor, type Hide, hidden, hideKeys } from './mask.ts';
import { compilesOnce } from './modifier.ts';
import { type LawOptions, settle } from './options.ts';
import { givenPairs, plainDot, plainSoftmax } from './plain.ts';
import { type Given, made } from './score.ts';
import { expected, floatsOn, flowBack, look, onDevice, roundTo, withData } from './stand.ts';
import { type Subject, shapeOf } from './subject.ts';
import { trials } from './trial.ts';
import { agrees, prints, staged } from './value.ts';

/**
 * Tests a reweight: that each weight is multiplied by its factor and the row left as it is, the level too; staging, gradients,
 * what it may not depend on, and that a factor of a pair that takes no part is of no consequence.
 *
 * @example reweightLaws(fading(), { describe, it });
 */
export function reweightLaws(given: Given<Reweight>, runner: Runner, options: LawOptions = {}): void {
  const reweight = made(given);
  const subject: Subject = {
    options: { score: plainDot(), normalizer: plainSoftmax(), reweight: [reweight] },
    roots: { reweight: reweight.body },
    settings: settle(options),
  };
  const laws = [
    agrees(subject, ['weights', 'context', 'level']),
    staged(subject),
    differentiates(subject),
    flowsBack(subject),
    prints(subject),
    permutes(subject),
    separates(subject, 'batch'),
    separates(subject, 'head'),
    groups(subject),
    compilesOnce(subject),
    stays(subject, reweight),
  ];
  register(`reweight ${reweight.label}`, runner, laws, options.skip);
}

/** A factor may be anything where no weight is: a masked key's own input is often padding. */
export const stays = (subject: Subject, reweight: Reweight, hide: Hide = hidden): Law => ({
  name: 'NaN in the factors of masked pairs reaches no output and no gradient',
  beside: poisonable(reweight).length === 0 ? 'it has no inputs along queries or keys' : null,
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const options = hide(subject.options, givenPairs());
      const spec = compose(options, false);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const clean = hideKeys(scene, random);
          const poisoned = withData(clean, poisonedInputs(clean, reweight));
          const directions = directionsFor(clean, random);
          const { values, allowed } = await expected(
            compose(hidden(subject.options, givenPairs()), false),
            clean,
            floats,
            subject.settings,
            random,
          );
          const seen = await look(options, poisoned, device);
          for (const name of ['context', 'weights', 'level'] as const)
            ensureNear(seen[name], values[name], {
              what: `${name} with NaN in the inputs of masked pairs`,
              shape: shapeOf(name, clean),
              allowed: allowed[name] ?? 0,
            });
          const fair = (allowed.weights ?? 0) / Math.max(largest(values.weights), Number.MIN_VALUE);
          const clear = await flowBack(options, clean, device, directions);
          for (const [name, gradient] of Object.entries(
            await flowBack(options, poisoned, device, directions),
          )) {
            const undisturbed = clear[name] as Float64Array;
            ensureNear(gradient, undisturbed, {
              what: `gradient of ${name} with NaN in the inputs of masked pairs`,
              shape: [...(clean.fields[name] as Field).shape],
              // A gradient sums over pairs what the weights are off by.
              allowed: 2 * fair * clean.lengths.key * Math.max(1, largest(undisturbed)),
            });
          }
        },
      );
    }),
});

/** Float inputs whose elements belong to some pairs and not to others. */
const poisonable = ({ inputs }: Reweight): string[] =>
  Object.entries(inputs).flatMap(([name, { type, along }]) =>
    type.element === 'float' && type.lookups === 0 && (along.includes('key') || along.includes('query'))
      ? [name]
      : [],
  );

/** The inputs of the reweight, NaN where no pair that takes part reads them. */
function poisonedInputs(scene: Scene, reweight: Reweight): Data {
  const { batch, head, keyHead, query, key } = scene.lengths;
  const takes = new Formula(givenPairs().body, scene);
  const names = poisonable(reweight);
  const read = Object.fromEntries(names.map((name) => [name, new Set<number>()]));
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < head; h++)
      for (let i = 0; i < query; i++)
        for (let j = 0; j < key; j++) {
          const at = { batch: b, head: h, keyHead: Math.floor((h * keyHead) / head), query: i, key: j };
          if (takes.number(at) === 0) continue;
          for (const name of names) read[name]?.add(rowAt(scene.fields[name] as Field, at));
        }
  return Object.fromEntries(
    names.map((name) => {
      const { along, shape, data } = scene.fields[name] as Field;
      const each = shape.slice(along.length).reduce((all, one) => all * one, 1);
      const rows = read[name] as Set<number>;
      return [name, data.map((one, flat) => (rows.has(Math.floor(flat / each)) ? one : Number.NaN))];
    }),
  );
}

/** Which row of a field a pair reads. */
const rowAt = ({ along, shape }: Field, at: Required<Position>): number =>
  along.reduce((row, axis, i) => row * (shape[i] as number) + at[axis], 0);
