// Laws about what a result does not depend on: the order of keys, other batch entries, other heads.

import { ensure, ensureNear } from '../assert.ts';
import { along } from '../scene/scene.ts';
import type { Law } from './law.ts';
import { expected, floatsOn, look, onDevice, roundTo } from './stand.ts';
import { besideIfReads, type Subject, shapeOf, specOf } from './subject.ts';
import { trials } from './trial.ts';

/** The device's weights for a scene, where keys lie in another order. */
export const permutes = (subject: Subject): Law => ({
  name: 'permuting keys permutes weights',
  beside: besideIfReads(subject, ['key']),
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = specOf(subject);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const order = random.permutation(scene.lengths.key);
          const { allowed } = await expected(spec, scene, floats, subject.settings, random);
          const straight = await look(subject.options, scene, device);
          const turned = await look(subject.options, along(scene, 'key', order), device);
          const rows = straight.weights.length / order.length;
          const back = Float64Array.from({ length: straight.weights.length }, (_, flat) => {
            const [row, to] = [Math.floor(flat / order.length), flat % order.length];
            return straight.weights[row * order.length + (order[to] as number)] as number;
          });
          ensure(rows === Math.floor(rows), 'the weights have no row for each query');
          ensureNear(turned.weights, back, {
            what: 'weights',
            shape: shapeOf('weights', scene),
            allowed: 2 * (allowed.weights ?? 0),
          });
          ensureNear(turned.context, straight.context, {
            what: 'context',
            shape: shapeOf('context', scene),
            allowed: 2 * (allowed.context ?? 0),
          });
        },
      );
    }),
});

/** One batch entry, or one head, computed alone gives what it gives among others. */
export const separates = (subject: Subject, axis: 'batch' | 'head'): Law => ({
  name: axis === 'batch' ? 'batch entries do not see each other' : 'heads do not see each other',
  beside: besideIfReads(
    subject,
    axis === 'batch' ? ['batch', 'batches'] : ['head', 'heads', 'keyHead', 'keyHeads'],
  ),
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = specOf(subject);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const { allowed } = await expected(spec, scene, floats, subject.settings, random);
          const all = await look(subject.options, scene, device);
          const at = random.integer(0, scene.lengths[axis] - 1);
          const keyHead = Math.floor((at * scene.lengths.keyHead) / scene.lengths.head);
          const alone =
            axis === 'batch'
              ? along(scene, 'batch', [at])
              : along(along(scene, 'head', [at]), 'keyHead', [keyHead]);
          const own = await look(subject.options, alone, device);
          const { batch, head } = scene.lengths;
          const part = (of: Float64Array): Float64Array => {
            const each = of.length / (batch * head);
            if (axis === 'batch') return of.slice(at * head * each, (at + 1) * head * each);
            return Float64Array.from(
              Array.from({ length: batch }, (_, b) => [
                ...of.slice((b * head + at) * each, (b * head + at + 1) * each),
              ]).flat(),
            );
          };
          for (const name of ['weights', 'context'] as const) {
            ensureNear(own[name], part(all[name]), {
              what: `${name} of ${axis} ${at} alone`,
              shape: shapeOf(name, alone),
              allowed: 2 * (allowed[name] ?? 0),
            });
          }
        },
      );
    }),
});

/** Fewer heads of keys than of queries is the same as repeating them. */
export const groups = (subject: Subject): Law => ({
  name: 'grouped heads equal repeated heads',
  beside: besideIfReads(subject, ['keyHead', 'keyHeads']),
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = specOf(subject);
      const floats = floatsOn(device);
      await trials(
        spec,
        subject.settings,
        { least: 1, round: roundTo[floats] },
        async ({ scene, random }) => {
          const { head, keyHead } = scene.lengths;
          const { allowed } = await expected(spec, scene, floats, subject.settings, random);
          const repeated = Array.from({ length: head }, (_, h) => Math.floor((h * keyHead) / head));
          const grouped = await look(subject.options, scene, device);
          const whole = await look(subject.options, along(scene, 'keyHead', repeated), device);
          for (const name of ['weights', 'context'] as const) {
            ensureNear(grouped[name], whole[name], {
              what: `${name} of grouped heads`,
              shape: shapeOf(name, scene),
              allowed: 2 * (allowed[name] ?? 0),
            });
          }
        },
      );
    }),
});
