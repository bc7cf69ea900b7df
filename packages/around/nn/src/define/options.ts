// Options of layers: those of @heed/attention, two more kinds, and the check at the door.

import type { Mask, Modifier, Normalizer, Option, Options, Part, Reweight, Score } from '@heed/attention';
import { didYouMean } from '@heed/expr';
import { Device, DTypeError, NameError, ValueError } from '@heed/tensor';

/** An option that holds a value of some kind and may be left out: a part, an initialiser, a function. */
export const valueOption = <T>(
  expects: string,
  accepts: (value: unknown) => boolean,
): Option<T, 'optional'> => ({
  expects,
  accepts,
  presence: 'optional',
  fallback: undefined,
});

const isPart = (kind: Part['kind']) => (value: unknown) =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind && 'label' in value;

const partOption = <P extends Part>(kind: P['kind']): Option<P, 'optional'> =>
  valueOption<P>(`a ${kind} such as ${examples[kind]}`, isPart(kind));

const partsOption = <P extends Part>(kind: P['kind']): Option<readonly P[], 'optional'> =>
  valueOption<readonly P[]>(
    `a list of ${kind}s such as [${examples[kind]}]`,
    (value) => Array.isArray(value) && value.every(isPart(kind)),
  );

const examples: Readonly<Record<Part['kind'], string>> = {
  score: 'scaledDot()',
  mask: 'causal()',
  normalizer: 'softmax()',
  modifier: 'softcap()',
  reweight: 'localGaussian()',
};

/** The probability with which something is dropped. */
export const rateOption: Option<number, 'needed'> = {
  expects: 'a probability of at least 0 and below 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value < 1,
  presence: 'needed',
  fallback: undefined,
};

/** The parts of an attention as options of a layer: what `registry.resolve` of @heed/registry gives can be spread in. */
export const partOptions = {
  /** How a query and a key are compared. */
  score: partOption<Score>('score'),
  /** Which keys take part, or several masks that must all allow a pair. */
  mask: valueOption<Mask | readonly Mask[]>(
    'a mask such as causal(), or a list of masks',
    (value) => isPart('mask')(value) || (Array.isArray(value) && value.every(isPart('mask'))),
  ),
  /** Applied to the score in this order, before the mask. */
  modifiers: partsOption<Modifier>('modifier'),
  /** How the scores of a row become its weights. */
  normalizer: partOption<Normalizer>('normalizer'),
  /** Factors for the weights after normalising. */
  reweight: partsOption<Reweight>('reweight'),
  /** The probability with which a weight is dropped while training. */
  dropout: { ...rateOption, presence: 'default', fallback: 0 } as Option<number, 'default'>,
} as const;

/** @throws DTypeError for what is no device. */
export function checkDevice(where: string, device: unknown): asserts device is Device {
  if (device instanceof Device) return;
  throw new DTypeError(
    `${where}: expected a device first, got ${describe(device)}. Open one with openDevice(...), then ${where}(device, { ... }).`,
  );
}

/** @throws DTypeError for options that are no object. */
export function checkObject(where: string, options: unknown): asserts options is object {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new DTypeError(`${where}: expected its options as an object, got ${describe(options)}.`);
}

/**
 * Checks what was chosen and fills in the rest.
 *
 * @throws NameError for an option that does not exist or is missing; ValueError for a value it does not take.
 */
export function settle(
  where: string,
  options: Options,
  given: object,
): { readonly chosen: Readonly<Record<string, unknown>>; readonly label: string } {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(options, name)) continue;
    const known = [...Object.keys(options), 'seed', 'dtype', 'parameters'];
    throw new NameError(
      `${where}: the option "${name}" does not exist.${didYouMean(name, known)} It takes ${known.join(', ')}.`,
    );
  }
  const values = given as Readonly<Record<string, unknown>>;
  const chosen = Object.entries(options).map(([name, { presence, expects, accepts, fallback }]) => {
    const value = values[name];
    if (value === undefined) {
      if (presence === 'needed')
        throw new NameError(`${where}: the option "${name}" must be given: expected ${expects}.`);
      return [name, fallback];
    }
    if (!accepts(value))
      throw new ValueError(`${where}: the option "${name}" expects ${expects}, got ${describe(value)}.`);
    return [name, value];
  });
  const told = Object.entries(values).filter(([, value]) => value !== undefined);
  const knobs = told.map(([name, value]) => `${name}: ${describe(value)}`).join(', ');
  return { chosen: Object.fromEntries(chosen), label: knobs === '' ? where : `${where}(${knobs})` };
}

const describe = (value: unknown): string => {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'function')
    return 'partName' in value
      ? `the factory of ${value.partName}; call it`
      : `the function ${value.name || '(unnamed)'}; call it`;
  if (typeof value !== 'object' || value === null) return String(value);
  return 'label' in value ? String(value.label) : (JSON.stringify(value) ?? 'an object');
};
