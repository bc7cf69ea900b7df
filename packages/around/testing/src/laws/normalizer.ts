// The laws of normalizers. What holds follows from a normalizer's form, never from its name.

import { type AttentionOptions, attention, compose, type Normalizer } from '@heed/attention';
import { openScope } from '@heed/tensor';
import { ensure, ensureNear, ensureSame } from '../assert.ts';
import type { Field, Scene } from '../scene/scene.ts';
import { differentiates, flowsBack } from './gradient.ts';
import { permutes } from './independence.ts';
import { type Law, type Runner, register } from './law.ts';
import { compilesOnce } from './modifier.ts';
import { type LawOptions, settle } from './options.ts';
import { givenPairs, givenScore } from './plain.ts';
import { type Given, made } from './score.ts';
import { callOf, expected, floatsOn, look, numbers, onDevice, placeAll, roundTo, withData } from './stand.ts';
import { type Subject, shapeOf } from './subject.ts';
import { trials } from './trial.ts';
import { agrees, prints, staged } from './value.ts';

/** Tests a normalizer: weights and levels, gradients, sums, large scores, empty rows. */
export function normalizerLaws(given: Given<Normalizer>, runner: Runner, options: LawOptions = {}): void {
  const normalizer = made(given);
  const { level, sink, weight } = normalizer.form;
  const bounds = level.by === 'root' ? { low: level.low, high: level.high } : {};
  const subject: Subject = {
    options: { score: givenScore(), mask: givenPairs(), normalizer },
    roots: { weight, ...bounds, ...(sink ? { sink } : {}) },
    settings: settle(options),
  };
  const laws = [
    agrees(subject, ['weights', 'context', 'level']),
    staged(subject),
    differentiates(subject),
    flowsBack(subject),
    prints(subject),
    permutes(subject),
    compilesOnce(subject),
    nonNegative(subject),
    sumsToOne(subject, normalizer),
    forgetsShifts(subject, normalizer),
    survivesSize(subject),
    emptyRows(subject),
    looksAway(subject),
  ];
  register(`normalizer ${normalizer.label}`, runner, laws, options.skip);
}

type Check = (
  scene: Scene,
  seen: Awaited<ReturnType<typeof look>>,
  options: AttentionOptions,
) => void | Promise<void>;

/** Tries a law on random scenes, seen on the device. */
const onScenes =
  (subject: Subject, check: Check, change: (scene: Scene) => Scene = (scene) => scene) =>
  (): Promise<void> =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = compose(subject.options, false);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floatsOn(device)] },
        async ({ scene }) => {
          const changed = change(scene);
          await check(changed, await look(subject.options, changed, device), subject.options);
        },
      );
    });

const nonNegative = (subject: Subject): Law => ({
  name: 'weights are not negative',
  check: onScenes(subject, (scene, { weights }) => {
    const at = weights.findIndex((weight) => !(weight >= 0));
    ensure(at < 0, () => `a weight is ${weights[at]}, at element ${at} of [${shapeOf('weights', scene)}]`);
  }),
});

const sumsToOne = (subject: Subject, { form }: Normalizer): Law => ({
  name: 'the weights of a row sum to one',
  beside: form.level.by === 'none' ? 'it has no level' : form.sink ? 'a sink takes a share' : null,
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const floats = floatsOn(device);
      const spec = compose(subject.options, false);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const { allowed } = await expected(spec, scene, floats, subject.settings, random);
          const { weights } = await look(subject.options, scene, device);
          const { key } = scene.lengths;
          const pairs = (scene.fields.givenPairs as Field).data;
          for (let row = 0; row < weights.length / key; row++) {
            const any = pairs.subarray(row * key, (row + 1) * key).some((one) => one === 1);
            const sum = weights.subarray(row * key, (row + 1) * key).reduce((all, one) => all + one, 0);
            ensureNear([sum], [any ? 1 : 0], {
              what: `sum of the weights of row ${row}`,
              shape: [1],
              allowed: key * (allowed.weights ?? 0),
            });
          }
        },
      );
    }),
});

const forgetsShifts = (subject: Subject, { form }: Normalizer): Law => ({
  name: 'adding a constant to all scores changes no weight',
  beside:
    form.level.by !== 'log-sum-exp' && form.level.by !== 'root'
      ? 'its level does not move with the scores'
      : form.sink
        ? 'a sink stays where it is'
        : null,
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const floats = floatsOn(device);
      const spec = compose(subject.options, false);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          // A power of two that scores are no smaller than: adding it rounds them, and by how much the tolerance knows.
          const by = random.pick([-8, 4, 16]);
          const scores = (scene.fields.givenScores as Field).data;
          const moved = withData(scene, { givenScores: scores.map((one) => roundTo[floats](one + by)) });
          const back = withData(scene, {
            givenScores: (moved.fields.givenScores as Field).data.map((one) => one - by),
          });
          const { allowed } = await expected(spec, moved, floats, subject.settings, random);
          const [a, b] = [
            await look(subject.options, back, device),
            await look(subject.options, moved, device),
          ];
          ensureNear(b.weights, a.weights, {
            what: `weights with ${by} added to every score`,
            shape: shapeOf('weights', scene),
            allowed: 2 * (allowed.weights ?? 0),
          });
        },
      );
    }),
});

const survivesSize = (subject: Subject): Law => ({
  name: 'scores of 1e4 and -1e4 give what the formula says',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const floats = floatsOn(device);
      const spec = compose(subject.options, false);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const scores = (scene.fields.givenScores as Field).data;
          const large = withData(scene, {
            givenScores: scores.map((one) => roundTo[floats](random.pick([1e4, -1e4, 1e4 - 0.5, 0]) + one)),
          });
          const { values, allowed } = await expected(spec, large, floats, subject.settings, random);
          const seen = await look(subject.options, large, device);
          for (const name of ['weights', 'context'] as const) {
            ensure(
              seen[name].every(Number.isFinite),
              () => `${name} of large scores are not finite: ${seen[name]}`,
            );
            ensureNear(seen[name], values[name], {
              what: `${name} of large scores`,
              shape: shapeOf(name, scene),
              allowed: allowed[name] ?? 0,
            });
          }
        },
      );
    }),
});

const emptyRows = (subject: Subject): Law => ({
  name: 'a row without an allowed key has context 0, weights 0 and level -infinity',
  check: onScenes(
    subject,
    (_, { weights, context, level }) => {
      ensure(
        weights.every((one) => one === 0),
        () => `weights of fully masked rows: expected zeros, got ${weights}`,
      );
      ensure(
        context.every((one) => one === 0),
        () => `context of fully masked rows: expected zeros, got ${context}`,
      );
      ensure(
        level.every((one) => one === -Infinity),
        () => `level of fully masked rows: expected -Infinity, got ${level}`,
      );
    },
    (scene) => withData(scene, { givenPairs: (scene.fields.givenPairs as Field).data.map(() => 0) }),
  ),
});

export const looksAway = (subject: Subject): Law => ({
  name: 'asking for weights and level changes no output',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = compose(subject.options, false);
      const floats = floatsOn(device);
      await trials(spec, subject.settings, { round: roundTo[floats] }, async ({ scene }) => {
        const asked = await look(subject.options, scene, device);
        const work = openScope(device);
        const { rows, call } = callOf(spec, placeAll(device, scene.fields, floats), scene.uniforms);
        const plain = await numbers(attention(subject.options)(...rows, call));
        const pooled = attention(subject.options)(...rows, { ...call, weights: { pool: 2 } });
        const beside = await numbers(pooled.context);
        work.close();
        ensureSame(asked.context, plain, 'context with weights asked for', shapeOf('context', scene));
        ensureSame(beside, plain, 'context with pooled weights asked for', shapeOf('context', scene));
      });
    }),
});
