// Programs as text: one that is a key, and one that people read.

import { describeType, type Expr, literal, print, type Sizes } from '@heed/expr';
import type {
  AttendInput,
  NormalizerForm,
  Partials,
  Program,
  ProgramKind,
  ProgramOf,
  Result,
} from './program.ts';

/**
 * The text of a program: equal text means equal programs, in every expression, input, dtype, size and flag. Names are
 * sorted where their order means nothing, so that it does not depend on how an object was built either.
 */
export function printProgram(program: Program): string {
  return encode(program);
}

/** Whether a value is an expression: checked by form, since programs may have come from another thread. */
const isExpression = (value: object): value is Expr => 'op' in value && 'type' in value && 'args' in value;

function encode(value: unknown): string {
  if (typeof value === 'number') return literal(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  // In quotes: an expression's own text holds brackets and commas, and a string must not look like one.
  if (isExpression(value)) return `expr ${JSON.stringify(print(value, { inputs: true }))}`;
  if (Array.isArray(value)) return `[${value.map(encode).join(', ')}]`;
  if (value instanceof Map) {
    throw new TypeError('printProgram: expected plain data, got a Map.');
  }
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}: ${encode(field)}`).join(', ')}}`;
}

type Describe<K extends ProgramKind> = (program: ProgramOf<K>) => readonly string[];

/** A few short lines for `explain()`: what goes in, what is computed, what comes out. Not a key. */
export const describeProgram = (program: Program): string =>
  (describers[program.kind] as Describe<ProgramKind>)(program).join('\n');

const named = (all: Readonly<Record<string, string>>): string =>
  Object.entries(all)
    .map(([name, kind]) => `${name}: ${kind}`)
    .join(', ');
const reads = (
  inputs: Readonly<Record<string, string>>,
  uniforms: Readonly<Record<string, string>>,
): string[] => [
  ...(Object.keys(inputs).length > 0 ? [`  inputs    ${named(inputs)}`] : []),
  ...(Object.keys(uniforms).length > 0 ? [`  uniforms  ${named(uniforms)}`] : []),
];
const line = (name: string, text: string): string => `  ${name.padEnd(9)} ${text}`;
const results = (all: Readonly<Record<string, Result & { readonly per?: string }>>): string[] =>
  Object.entries(all).map(([name, { dtype, body, per }]) =>
    line(name, `${print(body)} -> ${dtype}${per === 'row' ? ', one a row' : ''}`),
  );
const sized = (all: Sizes): string[] =>
  Object.keys(all).length === 0
    ? []
    : [
        line(
          'sizes',
          named(Object.fromEntries(Object.entries(all).map(([name, size]) => [name, String(size)]))),
        ),
      ];
const axes = (count: number): string => (count === 1 ? '1 axis' : `${count} axes`);

const describeInput = ({ type, dtype, along }: AttendInput): string =>
  `${dtype} ${describeType(type)}${along.length > 0 ? ` along ${along.join(', ')}` : ''}`;

function describeNormalizer({ weight, level, sink }: NormalizerForm): string[] {
  const by = level.by === 'root' ? `root between ${print(level.low)} and ${print(level.high)}` : level.by;
  return [line('level', by), line('weight', print(weight)), ...(sink ? [line('sink', print(sink))] : [])];
}

const describePartials = (name: string, partials: Partials): string[] =>
  Object.entries(partials as unknown as Record<string, Expr | null>).flatMap(([stage, partial]) =>
    partial ? [`  d ${stage} / d ${name}: ${print(partial)}`] : [],
  );

const describers: { readonly [K in ProgramKind]: Describe<K> } = {
  map: ({ rank, inputs, uniforms, results: all }) => [
    `map over ${axes(rank)}`,
    ...reads(inputs, uniforms),
    ...results(all),
  ],
  reduce: ({ rank, reduced, inputs, uniforms, body, by, finish, dtype }) => [
    `${by} over the last ${axes(reduced)} of ${rank + reduced}`,
    ...reads(inputs, uniforms),
    line('body', print(body)),
    line('result', `${print(finish)} -> ${dtype}`),
  ],
  row: ({ rank, inputs, uniforms, reductions, results: all }) => [
    `rows, ${axes(rank)} of them`,
    ...reads(inputs, uniforms),
    ...reductions.map(({ name, by, body }) => line(name, `${by} of ${print(body)}`)),
    ...results(all),
  ],
  matmul: ({ rank, a, b, inputs, uniforms, epilogue, dtype }) => [
    `matmul of ${a} and ${b}${rank > 0 ? `, ${axes(rank)} of batches` : ''}`,
    ...reads(inputs, uniforms),
    line('result', `${print(epilogue)} -> ${dtype}`),
  ],
  gather: ({ outer, inner, dtype }) => [`gather of ${dtype} along axis ${outer} of ${outer + 1 + inner}`],
  'scatter-add': ({ outer, inner, dtype }) => [
    `scatter-add of ${dtype} along axis ${outer} of ${outer + 1 + inner}`,
  ],
  attend: (program) => [
    'attend',
    ...Object.entries(program.inputs).map(([name, input]) =>
      line(name, `${describeInput(input)}${name === program.value ? ' (averaged)' : ''}`),
    ),
    ...reads({}, program.uniforms),
    ...sized(program.sizes),
    line('score', print(program.score)),
    line('mask', print(program.mask)),
    ...describeNormalizer(program.normalizer),
    line('reweight', print(program.reweight)),
    line(
      'keeps',
      ['context', program.keep.level && 'level', program.keep.weights && 'weights']
        .filter(Boolean)
        .join(', '),
    ),
    ...(program.cheaper ? ['  has a cheaper form of the score'] : []),
  ],
  'attend-gradient': ({ of, wrt, partials, weightByScore, weightByLevel }) => [
    `attend-gradient by ${wrt.join(', ')}`,
    line('of', print(of.score)),
    ...(weightByScore ? [`  d weight / d score: ${print(weightByScore)}`] : []),
    ...(weightByLevel ? [`  d weight / d level: ${print(weightByLevel)}`] : []),
    ...Object.entries(partials).flatMap(([name, one]) => describePartials(name, one)),
  ],
};
