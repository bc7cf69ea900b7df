// At the door: names become values. Nothing further in knows of names.

import type { AttentionOptions, Mask, Modifier, Normalizer, Part, Reweight, Score } from '@heed/attention';
import { didYouMean } from '@heed/expr';
import { DTypeError, NameError } from '@heed/tensor';
import { type Book, find, findVariant } from './book.ts';
import type { AnyVariant, Kind } from './plugin.ts';

const keys = [
  'score',
  'normalizer',
  'mask',
  'modifiers',
  'reweight',
  'dropout',
] as const satisfies readonly (keyof AttentionOptions)[];

/** What may stand where a part is expected. */
export type Accept = 'names and values' | 'names';

/**
 * Reads a description of an attention, checking every key and every option.
 *
 * @throws NameError for a key, name or option that does not exist; DTypeError, ValueError for what does not fit. Each
 *   begins with the path: `attention.score.hidden`.
 */
export function resolve(book: Book, given: unknown, accept: Accept): AttentionOptions {
  const path = 'attention';
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new DTypeError(
      `${path}: expected an object such as { score: 'dot', normalizer: 'softmax' }, got ${describe(given)}.`,
    );
  }
  for (const key of Object.keys(given)) {
    if (!(keys as readonly string[]).includes(key)) {
      throw new NameError(
        `${path}.${key} does not exist.${didYouMean(key, keys)} An attention has ${keys.join(', ')}.`,
      );
    }
  }
  const of = given as Given;
  for (const needed of ['score', 'normalizer'] as const) {
    if (of[needed] === undefined)
      throw new NameError(`${path}.${needed} must be given: a ${needed} by name, or as a value.`);
  }
  return partsOf(book, of, path, accept) as AttentionOptions;
}

/**
 * Reads the options of a layer: parts of its attention become values, all else stays as it is, for the layer to check.
 *
 * @throws as `resolve`; paths begin with `layer`.
 */
export function resolveVariant(
  book: Book,
  given: unknown,
  accept: Accept,
): { readonly factory: AnyVariant; readonly options: object } {
  const path = 'layer';
  if (
    typeof given !== 'object' ||
    given === null ||
    !('variant' in given) ||
    typeof given.variant !== 'string'
  ) {
    throw new DTypeError(
      `${path}: expected an object such as { variant: 'multi-head', ... }, got ${describe(given)}.`,
    );
  }
  const { variant, ...options } = given;
  return {
    factory: findVariant(book, variant, `${path}.variant`),
    options: { ...options, ...partsOf(book, options, path, accept) },
  };
}

type Given = Readonly<Partial<Record<(typeof keys)[number], unknown>>>;

/** The parts that are there, as values. */
function partsOf(book: Book, of: Given, path: string, accept: Accept): Partial<AttentionOptions> {
  const one = <P extends Part>(kind: Kind, choice: unknown, at: string) =>
    part<P>(book, kind, choice, at, accept);
  const list = <P extends Part>(kind: Kind, key: 'modifiers' | 'reweight' | 'mask'): readonly P[] => {
    const choices = of[key];
    if (!Array.isArray(choices))
      throw new DTypeError(`${path}.${key}: expected a list, got ${describe(choices)}.`);
    return choices.map((choice: unknown, i) => one<P>(kind, choice, `${path}.${key}[${i}]`));
  };
  if (of.dropout !== undefined && typeof of.dropout !== 'number') {
    throw new DTypeError(`${path}.dropout: expected a number, got ${describe(of.dropout)}.`);
  }
  return {
    ...(of.score === undefined ? {} : { score: one<Score>('score', of.score, `${path}.score`) }),
    ...(of.normalizer === undefined
      ? {}
      : { normalizer: one<Normalizer>('normalizer', of.normalizer, `${path}.normalizer`) }),
    ...(of.mask === undefined
      ? {}
      : {
          mask: Array.isArray(of.mask)
            ? list<Mask>('mask', 'mask')
            : one<Mask>('mask', of.mask, `${path}.mask`),
        }),
    ...(of.modifiers === undefined ? {} : { modifiers: list<Modifier>('modifier', 'modifiers') }),
    ...(of.reweight === undefined ? {} : { reweight: list<Reweight>('reweight', 'reweight') }),
    ...(of.dropout === undefined ? {} : { dropout: of.dropout }),
  };
}

/** One part: a name, a name with options, or a value. `attention` checks that a value is of the right kind. */
function part<P extends Part>(book: Book, kind: Kind, choice: unknown, path: string, accept: Accept): P {
  if (typeof choice === 'string') return find(book, kind, choice, path).fromJSON({}, path) as P;
  const values = accept === 'names and values';
  if (
    values &&
    (typeof choice === 'function' || (typeof choice === 'object' && choice !== null && 'kind' in choice))
  ) {
    return choice as P;
  }
  if (typeof choice === 'object' && choice !== null && 'name' in choice && typeof choice.name === 'string') {
    const { name, ...options } = choice;
    return find(book, kind, name, path).fromJSON(options, path) as P;
  }
  throw new DTypeError(
    `${path}: expected the name of a ${kind}, or { name, ...options }${values ? ', or a value' : ''}; got ${describe(choice)}.`,
  );
}

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'label' in value
    ? String(value.label)
    : (JSON.stringify(value) ?? String(value));
