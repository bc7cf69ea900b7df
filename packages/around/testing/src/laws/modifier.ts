// The laws of modifiers.

import { attention, compose, type Modifier } from '@heed/attention';
import { type Backend, type BackendPlugin, createDevice, openScope } from '@heed/tensor';
import { ensure, ensureNear } from '../assert.ts';
import { differentiates, flowsBack } from './gradient.ts';
import { groups, permutes, separates } from './independence.ts';
import { type Law, type Runner, register } from './law.ts';
import { type LawOptions, settle } from './options.ts';
import { doubled, plainDot, plainSoftmax } from './plain.ts';
import { type Given, made } from './score.ts';
import { callOf, expected, floatsOn, look, onDevice, placeAll, roundTo } from './stand.ts';
import { type Subject, shapeOf } from './subject.ts';
import { trials } from './trial.ts';
import { agrees, prints, staged } from './value.ts';

/** Tests a modifier: all that is asked of scores, that order is as written, and that uniforms make no kernel. */
export function modifierLaws(given: Given<Modifier>, runner: Runner, options: LawOptions = {}): void {
  const modifier = made(given);
  const subject: Subject = {
    options: { score: plainDot(), modifiers: [modifier], normalizer: plainSoftmax() },
    roots: { modifier: modifier.body },
    settings: settle(options),
  };
  const laws = [
    agrees(subject, ['scores', 'weights', 'context', 'level']),
    staged(subject),
    differentiates(subject),
    flowsBack(subject),
    prints(subject),
    permutes(subject),
    separates(subject, 'batch'),
    separates(subject, 'head'),
    groups(subject),
    ordered(subject, modifier),
    compilesOnce(subject),
  ];
  register(`modifier ${modifier.label}`, runner, laws, options.skip);
}

/** Before and after another modifier it gives what each order says. */
const ordered = (subject: Subject, modifier: Modifier): Law => ({
  name: 'modifiers apply in the order in which they are written',
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const floats = floatsOn(device);
      for (const modifiers of [
        [modifier, doubled()],
        [doubled(), modifier],
      ]) {
        const options = { ...subject.options, modifiers };
        const spec = compose(options, false);
        await trials(
          spec,
          subject.settings,
          { least: 1, round: roundTo[floats] },
          async ({ scene, random }) => {
            const { values, allowed } = await expected(spec, scene, floats, subject.settings, random);
            const { scores } = await look(options, scene, device, { scored: true });
            const what = `scores of ${modifiers.map(({ label }) => label).join(', then ')}`;
            ensureNear(scores, values.scores, {
              what,
              shape: shapeOf('scores', scene),
              allowed: allowed.scores ?? 0,
            });
          },
        );
      }
    }),
});

/** With other uniforms no new kernel is compiled. */
export const compilesOnce = (subject: Subject, make: typeof attention = attention): Law => {
  const spec = compose(subject.options, false);
  return {
    name: 'uniforms change without a new kernel',
    beside: Object.keys(spec.uniforms).length === 0 ? 'it has no uniforms' : null,
    check: async () => {
      const { backend, compiled } = await counting(subject.settings.backend);
      const device = createDevice(backend);
      try {
        const floats = floatsOn(device);
        const once = { ...subject.settings, runs: 1 };
        await trials(spec, once, { least: 1, round: roundTo[floats] }, async ({ scene }) => {
          const run = (factor: number): void => {
            const work = openScope(device);
            const uniforms = Object.fromEntries(
              Object.entries(spec.uniforms).map(([name, { element, value }]) => [
                name,
                element === 'int' ? value + (factor === 1 ? 0 : 1) : value * factor,
              ]),
            );
            const { rows, call } = callOf(spec, placeAll(device, scene.fields, floats), uniforms);
            make(subject.options)(...rows, call);
            work.close();
          };
          run(1);
          const before = compiled();
          run(1.25);
          run(0.75);
          const more = compiled() - before;
          ensure(
            more === 0,
            () => `other uniforms compiled ${more} new kernels: ${Object.keys(spec.uniforms).join(', ')}`,
          );
        });
      } finally {
        await device.close();
      }
    },
  };
};

/** A backend that counts what it compiles. */
async function counting(
  plugin: BackendPlugin,
): Promise<{ readonly backend: Backend; readonly compiled: () => number }> {
  const inner = await plugin.open();
  let count = 0;
  const backend = wrap(inner, {
    compile: (program) => {
      count++;
      return inner.compile(program);
    },
  });
  return { backend, compiled: () => count };
}

/** A backend with some of its methods replaced. */
export const wrap = (inner: Backend, changes: Partial<Backend>): Backend => ({
  name: inner.name,
  limits: inner.limits,
  supports: (program) => inner.supports(program),
  compile: (program) => inner.compile(program),
  allocate: (bytes) => inner.allocate(bytes),
  write: (to, bytes, byteOffset) => inner.write(to, bytes, byteOffset),
  run: (kernel, call) => inner.run(kernel, call),
  read: (from, byteOffset, bytes) => inner.read(from, byteOffset, bytes),
  free: (allocation) => inner.free(allocation),
  close: () => inner.close(),
  ...changes,
});
