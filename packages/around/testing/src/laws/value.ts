// Laws about values: on the device, staged, printed.

import { plan } from '@heed/attention';
import { asExpr, type Expr, graph, input, inputsOf, parse, print, scalar, sizeOf } from '@heed/expr';
import type { AttendProgram } from '@heed/tensor';
import { ensure, ensureNear } from '../assert.ts';
import { Formula } from '../scene/formula.ts';
import type { Field, Scene } from '../scene/scene.ts';
import { largest } from '../tolerance.ts';
import type { Law } from './law.ts';
import { expected, floatsOn, look, onDevice, roundTo } from './stand.ts';
import { type Subject, shapeOf, specOf } from './subject.ts';
import { trials } from './trial.ts';

/** Results on the device are those of the definition, pair by pair. */
export const agrees = (
  subject: Subject,
  what: readonly ('scores' | 'weights' | 'context' | 'level')[],
): Law => ({
  name: `gives on the device what the formula says: ${what.join(', ')}`,
  check: () =>
    onDevice(subject.settings.backend, async (device) => {
      const spec = specOf(subject);
      const floats = floatsOn(device);
      await trials(spec, subject.settings, { round: roundTo[floats] }, async ({ scene, random }) => {
        const exact = await expected(spec, scene, floats, subject.settings, random);
        const seen = await look(subject.options, scene, device, { scored: what.includes('scores') });
        for (const name of what) {
          if (name === 'level' && spec.normalizer.level.by === 'none') continue;
          ensureNear(seen[name], exact.values[name], {
            what: name,
            shape: shapeOf(name, scene),
            allowed: exact.allowed[name] ?? 0,
          });
        }
      });
    }),
});

/** What is computed once for each row, and the rest for each pair, give what the formula gives. */
export const staged = (subject: Subject, planned: typeof plan = plan): Law => ({
  name: 'staging preserves the value',
  check: async () => {
    const spec = specOf(subject);
    for (const fewer of ['query', 'key'] as const) {
      await trials(spec, subject.settings, { least: 1 }, async ({ scene, random }) => {
        const inputs = Object.fromEntries(
          Object.entries(scene.fields).map(([name, { type, along: axes }]) => [
            name,
            {
              type,
              dtype: ({ float: 'float64', int: 'int32', bool: 'bool' } as const)[type.element],
              along: axes,
            },
          ]),
        );
        const uniforms = Object.fromEntries(
          Object.entries(spec.uniforms).map(([name, { element }]) => [name, element]),
        );
        const { hoisted, program } = planned(spec, {
          inputs,
          uniforms,
          sizes: scene.sizes,
          fewer,
          keep: { level: false, weights: false },
          dtype: 'float64',
        });
        let ahead = scene;
        for (const { name, along: axes, body } of hoisted)
          ahead = withRow(ahead, name, axes as Field['along'], body);
        const left = new Formula(program.score, ahead);
        const mask = new Formula(program.mask, ahead);
        const reweight = new Formula(program.reweight, ahead);
        const cheaper = cheaperOf(program, ahead);
        const exact = await expected(spec, scene, 'float64', subject.settings, random);
        // The cheaper form states its error in units of float32.
        const rough = cheaper ? await expected(spec, scene, 'float32', subject.settings, random) : exact;
        const { batch, head, keyHead, query, key } = scene.lengths;
        let flat = 0;
        for (let b = 0; b < batch; b++) {
          for (let h = 0; h < head; h++) {
            for (let i = 0; i < query; i++) {
              for (let j = 0; j < key; j++, flat++) {
                const at = { batch: b, head: h, keyHead: Math.floor((h * keyHead) / head), query: i, key: j };
                const where = `[${b}, ${h}, ${i}, ${j}] with fewer ${fewer} rows`;
                const got = [left.number(at)];
                ensureNear(got, [exact.values.scores[flat] as number], {
                  what: `staged score at ${where}`,
                  shape: [1],
                  allowed: exact.allowed.scores ?? 0,
                });
                if (cheaper) {
                  ensureNear([cheaper.number(at)], [exact.values.scores[flat] as number], {
                    what: `the cheaper score at ${where}`,
                    shape: [1],
                    allowed: rough.allowed.scores ?? 0,
                  });
                }
                ensureNear([reweight.number(at)], [exact.values.factors[flat] as number], {
                  what: `staged factor at ${where}`,
                  shape: [1],
                  allowed: exact.allowed.factors ?? 0,
                });
                ensure(mask.number(at) === exact.values.allowed[flat], `the staged mask differs at ${where}`);
              }
            }
          }
        }
      });
    }
  },
});

/** The score with cheaper arithmetic, if there is one and its guards hold in this scene. */
function cheaperOf({ cheaper }: AttendProgram, scene: Scene): Formula | null {
  const root = cheaper?.roots.score;
  if (!cheaper || !root) return null;
  const guarded = cheaper.guards.every(
    ({ input, limit }) => largest(scene.fields[input]?.data ?? []) <= limit,
  );
  if (!guarded) return null;
  let ahead = scene;
  for (const { name, along, body } of cheaper.rows)
    ahead = withRow(ahead, name, along as Field['along'], body);
  return new Formula(root, ahead);
}

/** The scene with one more field: a formula computed at every position along its axes. */
function withRow(scene: Scene, name: string, axes: Field['along'], body: Expr): Scene {
  const formula = new Formula(body, scene);
  const sizes = axes.map((axis) => scene.lengths[axis]);
  const count = sizes.reduce((all, one) => all * one, 1);
  const data: number[] = [];
  for (let flat = 0; flat < count; flat++) {
    let rest = flat;
    const at: Record<string, number> = {};
    for (let i = axes.length - 1; i >= 0; i--) {
      at[axes[i] as string] = rest % (sizes[i] as number);
      rest = Math.floor(rest / (sizes[i] as number));
    }
    for (const one of Array.from(formula.numbers(at))) data.push(one);
  }
  const shape = [...sizes, ...body.type.dims.map((dim) => sizeOf(dim, scene.sizes) as number)];
  const field: Field = { type: body.type, along: axes, shape, data: Float64Array.from(data) };
  return { ...scene, fields: { ...scene.fields, [name]: field } };
}

/** print and parse are inverses on the part's expressions. */
export const prints = (subject: Subject): Law => ({
  name: 'its formulas survive printing and parsing',
  check: async () => {
    for (const [name, root] of Object.entries(subject.roots)) {
      const home = graph(root);
      const scope = Object.fromEntries(
        inputsOf([root]).map((node) => [node.data.name, asExpr(node) as Expr]),
      );
      // A formula without inputs still needs a graph to be built in.
      const one = asExpr<typeof scalar>(input(home, 'nobody', scalar, []));
      const text = print(root);
      const back = parse(text, { nobody: one, ...scope } as Record<string, Expr>);
      ensure(
        back === root,
        () =>
          `${name}: parse(print(e)) is another expression.\n  printed: ${text}\n  parsed:  ${print(back)}`,
      );
    }
  },
});
