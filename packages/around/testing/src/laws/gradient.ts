// Laws about gradients: against differences, and against the reference.

import { attention, type Spec } from '@heed/attention';
import { reference } from '@heed/reference';
import { type BackendPlugin, concat, type Tensor } from '@heed/tensor';
import { ensureNear } from '../assert.ts';
import { gradientCheck } from '../gradient-check.ts';
import { Formula } from '../scene/formula.ts';
import { type Field, floatsOf, type Scene } from '../scene/scene.ts';
import { exactly } from '../tolerance.ts';
import type { Law } from './law.ts';
import {
  callOf,
  dataOf,
  floatsOn,
  flowBack,
  onDevice,
  placeAll,
  roundingsOf,
  roundTo,
  withData,
} from './stand.ts';
import { type Subject, shapeOf, specOf } from './subject.ts';
import { trials } from './trial.ts';

/** backward() gives what differences give, for every float input. */
export const differentiates = (subject: Subject, on: BackendPlugin = reference()): Law => ({
  name: 'gradients match central differences',
  check: () =>
    onDevice(on, async (device) => {
      const spec = specOf(subject);
      const leveled = isLeveled(spec);
      const settings = { ...subject.settings, runs: Math.min(2, subject.settings.runs) };
      await trials(spec, settings, { least: 1, most: 4 }, async ({ scene, random }) => {
        const tensors = placeAll(device, scene.fields, 'float64');
        const names = floatsOf(scene.fields);
        const attend = attention(subject.options);
        const everyRow = leveled && rowsAllowed(spec, scene);
        const f = (changed: Readonly<Record<string, Tensor>>): Tensor => {
          const { rows, call } = callOf(spec, { ...tensors, ...changed }, scene.uniforms);
          const flat = (of: Tensor): Tensor => of.reshape([-1]);
          if (!everyRow) {
            const { context, weights } = attend(...rows, { ...call, weights: true });
            return concat([flat(context), flat(weights)]);
          }
          const { context, weights, level } = attend(...rows, { ...call, weights: true, level: true });
          return concat([context, weights, level as Tensor].map(flat));
        };
        const inputs = Object.fromEntries(
          names
            .filter((name) => (tensors[name] as Tensor).size > 0)
            .map((name) => [name, tensors[name] as Tensor]),
        );
        await gradientCheck(f, inputs, { sample: 6, seed: random.integer(0, 1e6) });
        for (const one of Object.values(tensors)) one.dispose();
      });
    }),
});

/** Whether the level moves with the scores, and so has a gradient. */
const isLeveled = ({ normalizer: { level } }: Spec): boolean =>
  level.by === 'log-sum-exp' || level.by === 'root';

const rowsOf = ({ lengths: { batch, head, query } }: Scene): number => batch * head * query;

/** Whether every row has a key that takes part, and so a finite level. */
function rowsAllowed(spec: Spec, scene: Scene): boolean {
  const mask = new Formula(spec.mask, scene);
  const { batch, head, keyHead, query, key } = scene.lengths;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < head; h++) {
      for (let i = 0; i < query; i++) {
        const kh = Math.floor((h * keyHead) / head);
        const any = Array.from({ length: key }, (_, j) =>
          mask.number({ batch: b, head: h, keyHead: kh, query: i, key: j }),
        );
        if (!any.includes(1)) return false;
      }
    }
  }
  return true;
}

/** Gradients on the device are those of the reference, within what its floats allow. */
export const flowsBack = (subject: Subject): Law => ({
  name: 'gradients on the device are those of the reference',
  check: () =>
    onDevice(subject.settings.backend, (device) =>
      onDevice(reference(), async (oracle) => {
        const spec = specOf(subject);
        const floats = floatsOn(device);
        await trials(spec, subject.settings, { round: roundTo[floats] }, async ({ scene, random }) => {
          const size = (what: 'context' | 'weights'): number =>
            shapeOf(what, scene).reduce((all, one) => all * one, 1);
          const directions = {
            context: random.numbers(size('context')).map(Math.fround),
            weights: random.numbers(size('weights')).map(Math.fround),
            // A level of -infinity has no direction to be differentiated in.
            level:
              isLeveled(spec) && rowsAllowed(spec, scene)
                ? random.numbers(rowsOf(scene)).map(Math.fround)
                : null,
          };
          const exact = await exactly(
            (data) => flowBack(subject.options, withData(scene, data), oracle, directions),
            dataOf(scene),
            {
              dtype: floats,
              roundings: roundingsOf(scene),
              floats: floatsOf(scene.fields),
              factor: subject.settings.factor,
              together: true,
              random,
            },
          );
          const found = await flowBack(subject.options, scene, device, directions);
          for (const [name, gradient] of Object.entries(found)) {
            const shape = [...(scene.fields[name] as Field).shape];
            ensureNear(gradient, exact.values[name] as Float64Array, {
              what: `gradient of ${name}`,
              shape,
              allowed: exact.allowed[name] ?? 0,
            });
          }
        });
      }),
    ),
});
