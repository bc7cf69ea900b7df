// The laws of masks.

import { type AttentionOptions, compose, type Mask, type Spec } from '@heed/attention';
import { ensure, ensureNear } from '../assert.ts';
import type { Random } from '../random.ts';
import { Formula, type Position } from '../scene/formula.ts';
import type { Field, Scene } from '../scene/scene.ts';
import { largest } from '../tolerance.ts';
import { differentiates } from './gradient.ts';
import { separates } from './independence.ts';
import { type Law, type Runner, register } from './law.ts';
import { type LawOptions, settle } from './options.ts';
import { givenPairs, one, plainDot, plainSoftmax } from './plain.ts';
import { type Given, made } from './score.ts';
import { expected, floatsOn, flowBack, look, onDevice, roundTo, withData } from './stand.ts';
import { type Subject, shapeOf } from './subject.ts';
import { tilesTell } from './tiles.ts';
import { trials } from './trial.ts';
import { agrees, prints, staged } from './value.ts';

/** Tests a mask: its pairs, its tiles, that what it hides stays hidden, and rows in which nothing is left. */
export function maskLaws(given: Given<Mask>, runner: Runner, options: LawOptions = {}): void {
  const mask = made(given);
  const settings = settle(options);
  const roots = { mask: mask.body };
  const subject: Subject = {
    options: { score: plainDot(), mask, normalizer: plainSoftmax() },
    roots,
    settings,
  };
  const pairs: Subject = { ...subject, options: { score: plainDot(), mask, normalizer: one() } };
  const laws = [
    { ...agrees(pairs, ['weights']), name: 'allows on the device what the formula allows' },
    agrees(subject, ['weights', 'context', 'level']),
    tilesTell(subject, mask),
    staged(subject),
    differentiates(subject),
    prints(subject),
    separates(subject, 'batch'),
    separates(subject, 'head'),
    hides(subject, mask),
    emptyRows(subject, mask),
  ];
  register(`mask ${mask.label}`, runner, laws, options.skip);
}

/** Planted where no query may look: nothing of it may be seen. */
const poisons = [Number.NaN, Infinity, -Infinity];

/** Restricts an attention to the pairs that the mask and the input `givenPairs` allow. */
export type Hide = (options: AttentionOptions, mask: Mask) => AttentionOptions;
export const hidden: Hide = (options, mask) => ({ ...options, mask: [mask, givenPairs()] });

export const hides = (subject: Subject, mask: Mask, hide: Hide = hidden): Law => ({
  name: 'NaN and infinity in masked keys and values reach no output and no gradient',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const options = hide(subject.options, mask);
      const spec = compose(options, false);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const clean = hideKeys(scene, random);
          const poisoned = poison(compose(hidden(subject.options, mask), false), clean, random);
          const directions = directionsFor(clean, random);
          const [before, after] = [await look(options, clean, device), await look(options, poisoned, device)];
          // What nobody may look at can still decide how a tile is computed (a rewrite's guard looks at rows whole), so
          // results agree as two honest computations do.
          const exact = await expected(spec, clean, floats, subject.settings, random);
          for (const name of ['context', 'weights', 'level'] as const) {
            const comparison = { what: `${name} with poison in masked keys`, shape: shapeOf(name, scene) };
            ensureNear(after[name], before[name], { ...comparison, allowed: 2 * (exact.allowed[name] ?? 0) });
          }
          const fair =
            (exact.allowed.weights ?? 0) / Math.max(largest(exact.values.weights), Number.MIN_VALUE);
          const clear = await flowBack(options, clean, device, directions);
          const flowed = await flowBack(options, poisoned, device, directions);
          for (const [name, gradient] of Object.entries(flowed)) {
            const undisturbed = clear[name] as Float64Array;
            ensureNear(gradient, undisturbed, {
              what: `gradient of ${name} with poison in masked keys`,
              shape: [...(scene.fields[name] as Field).shape],
              // A gradient sums over pairs what the weights are off by.
              allowed: 2 * fair * scene.lengths.key * Math.max(1, largest(undisturbed)),
            });
          }
        },
      );
    }),
});

export function directionsFor(scene: Scene, random: Random) {
  const size = (what: 'context' | 'weights'): number => shapeOf(what, scene).reduce((all, n) => all * n, 1);
  const drawn = (count: number): Float64Array => random.numbers(count).map(Math.fround);
  return { context: drawn(size('context')), weights: drawn(size('weights')), level: null };
}

/** Hides some keys of each batch entry from everyone. */
export function hideKeys(scene: Scene, random: Random): Scene {
  const { batch, head, query, key } = scene.lengths;
  const hidden = Array.from({ length: batch * key }, () => random.flip(0.4));
  const pairs = Float64Array.from({ length: batch * head * query * key }, (_, flat) => {
    const b = Math.floor(flat / (head * query * key));
    return hidden[b * key + (flat % key)] ? 0 : 1;
  });
  return withData(scene, { givenPairs: pairs });
}

function poison(spec: Spec, scene: Scene, random: Random): Scene {
  const { batch, head, keyHead, query, key } = scene.lengths;
  const mask = new Formula(spec.mask, scene);
  const k = scene.fields.k as Field;
  const value = scene.fields.value as Field;
  const data = { k: k.data.slice(), value: value.data.slice() };
  const group = head / keyHead;
  for (let b = 0; b < batch; b++) {
    for (let kh = 0; kh < keyHead; kh++) {
      for (let j = 0; j < key; j++) {
        let seen = false;
        for (let h = kh * group; h < (kh + 1) * group; h++) {
          for (let i = 0; i < query; i++) {
            const at: Position = { batch: b, head: h, keyHead: kh, query: i, key: j };
            seen ||= mask.number(at) === 1;
          }
        }
        if (seen) continue;
        for (const [name, field] of [
          ['k', k],
          ['value', value],
        ] as const) {
          const width = field.shape[3] as number;
          data[name].fill(
            random.pick(poisons),
            ((b * keyHead + kh) * key + j) * width,
            ((b * keyHead + kh) * key + j + 1) * width,
          );
        }
      }
    }
  }
  return withData(scene, data);
}

export const emptyRows = (subject: Subject, mask: Mask, hide: Hide = hidden): Law => ({
  name: 'a row without an allowed key has context 0, weights 0, gradient 0 and level -infinity',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const floats = floatsOn(device);
      const options = hide(subject.options, mask);
      const spec = compose(options, false);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const { batch, head, query, key } = scene.lengths;
          const blocked = Array.from({ length: batch * head * query }, () => random.flip());
          const pairs = Float64Array.from({ length: blocked.length * key }, (_, flat) =>
            blocked[Math.floor(flat / key)] ? 0 : 1,
          );
          const made = withData(scene, { givenPairs: pairs });
          const seen = await look(options, made, device);
          const gradients = await flowBack(options, made, device, directionsFor(made, random));
          const { values, allowed } = await expected(
            compose(hidden(subject.options, mask), false),
            made,
            floats,
            subject.settings,
            random,
          );
          for (const name of ['context', 'weights', 'level'] as const) {
            ensureNear(seen[name], values[name], {
              what: name,
              shape: shapeOf(name, made),
              allowed: allowed[name] ?? 0,
            });
          }
          const each = (of: Float64Array, row: number): Float64Array => {
            const width = of.length / blocked.length;
            return of.slice(row * width, (row + 1) * width);
          };
          for (const [row, isBlocked] of blocked.entries()) {
            if (!isBlocked) continue;
            const zero = (of: Float64Array, what: string): void =>
              ensure(
                each(of, row).every((n) => n === 0),
                () => `${what} of the fully masked row ${row}: expected zeros, got ${each(of, row)}`,
              );
            zero(seen.context, 'context');
            zero(seen.weights, 'weights');
            zero(gradients.q as Float64Array, 'gradient of the query');
            ensure(
              seen.level[row] === -Infinity,
              () => `level of the fully masked row ${row}: expected -Infinity, got ${seen.level[row]}`,
            );
          }
          for (const [name, gradient] of Object.entries(gradients)) {
            ensure(
              gradient.every(Number.isFinite),
              () => `gradient of ${name} is not finite beside fully masked rows: ${gradient}`,
            );
          }
        },
      );
    }),
});
