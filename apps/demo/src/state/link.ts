// The link: settings as the fragment of the address, and back. What it cannot read is never guessed: it is reported.

import {
  bandwidths,
  cities,
  defaults,
  farthestReach,
  longestFormula,
  maskKinds,
  normalizerKinds,
  resolutions,
  rowKinds,
  type Settings,
  scoreKinds,
} from 'weather';

/** What a link carries: a fit, and the step that is looked at. */
export interface View {
  readonly settings: Settings;
  readonly step: number;
}

export const firstView: View = { settings: defaults, step: 110 };

interface Field<T> {
  readonly expects: string;
  /** The value, or undefined for text that is none. */
  readonly read: (text: string) => T | undefined;
}

const oneOf = <T extends string>(words: readonly T[]): Field<T> => ({
  expects: `one of ${words.join(', ')}`,
  read: (text) => words.find((word) => word === text),
});

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) => Object.keys(table) as K[];

const whole = (from: number, to: number): Field<number> => ({
  expects: `a whole number from ${from} to ${to}`,
  read: (text) =>
    /^\d{1,6}$/.test(text) && Number(text) >= from && Number(text) <= to ? Number(text) : undefined,
});

const fields: { readonly [K in keyof Settings]: Field<Settings[K]> } = {
  city: oneOf(cities),
  resolution: oneOf(keysOf(resolutions)),
  rows: oneOf(keysOf(rowKinds)),
  score: oneOf([...keysOf(scoreKinds), 'typed']),
  formula: {
    expects: `a formula of at most ${longestFormula} characters`,
    read: (text) => (text.length <= longestFormula ? text : undefined),
  },
  mask: oneOf(keysOf(maskKinds)),
  reach: whole(1, farthestReach),
  normalizer: oneOf(keysOf(normalizerKinds)),
  bandwidth: {
    expects: `one of ${bandwidths.join(', ')}`,
    read: (text) => bandwidths.find((days) => String(days) === text),
  },
};
const step = whole(0, 999);

/** Only what differs from the first view is written. */
export function linkOf({ settings, step }: View): string {
  const link = new URLSearchParams();
  for (const name of keysOf(fields)) {
    if (settings[name] !== defaults[name]) link.set(name, String(settings[name]));
  }
  if (step !== firstView.step) link.set('step', String(step));
  return link.size === 0 ? '' : `#${link}`;
}

/** A view, and a sentence for each thing in the link that was not understood. */
export function readLink(fragment: string): { readonly view: View; readonly ignored: readonly string[] } {
  const ignored: string[] = [];
  const given = new Map<string, string>();
  for (const [name, text] of new URLSearchParams(fragment.replace(/^#/, ''))) {
    if (name !== 'step' && !Object.hasOwn(fields, name))
      ignored.push(`There is no setting “${short(name)}”.`);
    else if (given.has(name)) ignored.push(`“${name}” is given twice; the first one counts.`);
    else given.set(name, text);
  }
  const read = <T>(name: string, field: Field<T>, otherwise: T): T => {
    const text = given.get(name);
    if (text === undefined) return otherwise;
    const value = field.read(text);
    if (value === undefined) {
      ignored.push(`“${name}” must be ${field.expects}, and the link says “${short(text)}”.`);
    }
    return value ?? otherwise;
  };
  const entries = keysOf(fields).map((name) => [
    name,
    read<Settings[typeof name]>(name, fields[name], defaults[name]),
  ]);
  return {
    view: { settings: Object.fromEntries(entries) as Settings, step: read('step', step, firstView.step) },
    ignored,
  };
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
