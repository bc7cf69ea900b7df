// Options of a part: what values they take, stated once, so that types, defaults, checks and messages all follow.

/** An option must be given, has a default, or may be left out. */
export type Presence = 'needed' | 'default' | 'optional';

/** What an option accepts. */
export interface Option<T, P extends Presence = Presence> {
  readonly expects: string;
  readonly accepts: (value: unknown) => boolean;
  readonly presence: P;
  readonly fallback: T | undefined;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Strictly above `min` and below `max`. */
  readonly open?: boolean;
}

interface Maker<T, Settings> {
  (settings: Settings & { readonly default: T }): Option<T, 'default'>;
  (settings: Settings & { readonly optional: true }): Option<T, 'optional'>;
  (settings?: Settings): Option<T, 'needed'>;
}

interface Left<T> {
  readonly default?: T;
  readonly optional?: true;
}

const make = <T>(
  expects: string,
  accepts: (value: unknown) => boolean,
  settings: Left<T> = {},
): Option<T> => ({
  expects,
  accepts,
  presence: settings.default !== undefined ? 'default' : settings.optional ? 'optional' : 'needed',
  fallback: settings.default,
});

const within = (value: number, { min, max, open }: Range): boolean =>
  (min === undefined || (open ? value > min : value >= min)) &&
  (max === undefined || (open ? value < max : value <= max));

const rangeText = ({ min, max, open }: Range): string => {
  const parts = [
    min === undefined ? '' : `${open ? 'above' : 'of at least'} ${min}`,
    max === undefined ? '' : `${open ? 'below' : 'at most'} ${max}`,
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
};

const number = ((settings: Range & Left<number> = {}) =>
  make<number>(
    `a finite number${rangeText(settings)}`,
    (value) => typeof value === 'number' && Number.isFinite(value) && within(value, settings),
    settings,
  )) as Maker<number, Range>;

const integer = ((settings: Range & Left<number> = {}) =>
  make<number>(
    `a whole number${rangeText(settings)}`,
    (value) =>
      Number.isSafeInteger(value) && Math.abs(value as number) < 2 ** 31 && within(value as number, settings),
    settings,
  )) as Maker<number, Range>;

const boolean = ((settings: Left<boolean> = {}) =>
  make<boolean>('true or false', (value) => typeof value === 'boolean', settings)) as Maker<boolean, object>;

const integers = ((settings: Range & Left<readonly number[]> = {}) =>
  make<readonly number[]>(
    `a list of whole numbers${rangeText(settings)}`,
    (value) =>
      Array.isArray(value) &&
      value.every((one) => Number.isSafeInteger(one) && within(one as number, settings)),
    settings,
  )) as Maker<readonly number[], Range>;

/** One of the given words; the first is the default. */
const oneOf = <const W extends readonly [string, ...string[]]>(
  ...words: W
): Option<W[number], 'default'> => ({
  expects: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
  accepts: (value) => (words as readonly unknown[]).includes(value),
  presence: 'default',
  fallback: words[0],
});

/** A list of the given words, none twice. It must be given. */
const someOf = <const W extends readonly [string, ...string[]]>(
  ...words: W
): Option<readonly W[number][], 'needed'> => ({
  expects: `a list of at least one of ${words.map((word) => `'${word}'`).join(', ')}, none twice`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((one) => (words as readonly unknown[]).includes(one)),
  presence: 'needed',
  fallback: undefined,
});

/** Declares options: `option.integer({ min: 0 })` must be given, `option.number({ default: 1 })` need not. */
export const option = { number, integer, boolean, integers, oneOf, someOf };

/** Options by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The value of each option inside a formula. */
export type Chosen<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer T, infer P>
    ? P extends 'optional'
      ? T | undefined
      : T
    : never;
};

type ValueOf<One> = One extends Option<infer T> ? T : never;

/** What a person gives: required options, and the others at will. */
// Keys are filtered, not listed: so the comments beside the options reach the editor.
export type Choice<O extends Options> = {
  readonly [K in keyof O as O[K]['presence'] extends 'needed' ? K : never]: ValueOf<O[K]>;
} & {
  readonly [K in keyof O as O[K]['presence'] extends 'needed' ? never : K]?: ValueOf<O[K]>;
};
