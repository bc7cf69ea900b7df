// explain: an account of one call, for people: what was asked, what is computed ahead, what runs for each pair, and on what.

import { type Cheaper, print, type Type } from '@heed/expr';
import type { Device } from '@heed/tensor';
import type { Explanation } from './call.ts';
import type { Checked } from './check.ts';
import type { Prepared } from './prepare.ts';
import type { Spec } from './spec.ts';

/** Compiles, but runs nothing. @throws BackendError where the device cannot run the program. */
export function explain(
  device: Device,
  spec: Spec,
  { plan }: Prepared,
  { bound, lengths }: Checked,
): Explanation {
  const kernel = device.kernel('explain', plan.program);
  const { program } = plan;
  const { normalizer } = program;
  const account = {
    spec: [
      ...spec.parts.map(({ kind, label }) => `${kind} ${label}`),
      `e = ${print(spec.score)}`,
      `allowed = ${print(spec.mask)}`,
      `a = ${print(spec.normalizer.weight)}, level by ${normalizer.level.by}${normalizer.sink ? `, sink ${print(normalizer.sink)}` : ''}`,
      `w = a * ${print(spec.reweight)}`,
    ].join('\n'),
    plan: [
      `for ${amounts(lengths)}; ${amounts(program.sizes)}`,
      ...Object.entries(bound).map(([name, { input }]) => `given ${name} ${input.dtype} ${shapeOf(input)}`),
      ...plan.hoisted.map(
        ({ name, along, body }) => `ahead ${name} ${shapeOf({ type: body.type, along })} = ${print(body)}`,
      ),
      `pair score = ${print(program.score)}`,
      `pair allowed = ${print(program.mask)}`,
      `pair weight = ${print(normalizer.weight)}`,
      `pair reweight = ${print(program.reweight)}`,
      ...(program.cheaper ? cheaperLines(program.cheaper) : []),
    ].join('\n'),
    notes: plan.notes,
    backend: [device.name, ...kernel.notes].join('\n'),
    source: kernel.source,
  };
  return {
    ...account,
    toString: () =>
      [
        ['spec', account.spec],
        ['plan', account.plan],
        ['notes', account.notes.join('\n')],
        ['backend', account.backend],
        ['source', account.source],
      ]
        .map(([title, text]) => `${title}\n${indent(text || '(none)')}`)
        .join('\n\n'),
  };
}

const indent = (text: string): string => text.replace(/^/gm, '  ');

const amounts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, size]) => `${name} ${size}`)
    .join(', ');

const shapeOf = ({ type, along }: { readonly type: Type; readonly along: readonly string[] }): string =>
  `[${[...along, ...Array.from({ length: type.lookups }, (_, i) => `index${i}`), ...type.dims].join(', ')}]`;

/** The rewritten score, what it needs first, and where it holds. */
const cheaperLines = ({ rows, roots, guards, error }: Cheaper): string[] => [
  ...rows.map(
    ({ name, along, body }) => `cheaper ${name} ${shapeOf({ type: body.type, along })} = ${print(body)}`,
  ),
  ...Object.values(roots).map((root) => `cheaper score = ${print(root)}`),
  `cheaper where ${guards.map(({ input, limit }) => `|${input}| <= ${limit}`).join(' and ')}: ${error}`,
];
