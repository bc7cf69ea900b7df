// The attributes of a case, read so that none is overlooked: an option nobody read would pass in silence.

/** Thrown where a case asks for what heed, or this runner, does not offer; the reason is printed. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

export const unsupported = (reason: string): never => {
  throw new Unsupported(reason);
};

type Values = Readonly<Record<string, unknown>>;

/** Options by name. Null and absent are the same. */
export class Attributes {
  readonly #values: Values;
  readonly #where: string;
  readonly #read = new Set<string>();

  constructor(values: Values, where = '') {
    this.#values = values;
    this.#where = where;
  }

  #get(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }

  #wrong(name: string, expected: string, value: unknown): never {
    return unsupported(
      `the attribute "${this.#where}${name}" is ${JSON.stringify(value)}; known: ${expected}`,
    );
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  number(name: string): number | undefined;
  number(name: string, fallback: number): number;
  number(name: string, fallback?: number): number | undefined {
    const value = this.#get(name) ?? fallback;
    return value === undefined || typeof value === 'number' ? value : this.#wrong(name, 'a number', value);
  }

  /** A number that must be there. */
  needed(name: string): number {
    return this.number(name) ?? this.#wrong(name, 'a number', null);
  }

  /** A boolean, or 0 and 1. */
  flag(name: string, fallback = false): boolean {
    const value = this.#get(name) ?? fallback;
    return value === true || value === 1
      ? true
      : value === false || value === 0
        ? false
        : this.#wrong(name, 'true or false', value);
  }

  /** A boolean, or a word that means true. */
  either(name: string, word: string): boolean {
    return this.#get(name) === word || this.flag(name);
  }

  /** One of the words that the runner knows. */
  oneOf<const W extends string>(name: string, words: readonly W[]): W | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    return words.includes(value as W) ? (value as W) : this.#wrong(name, words.join(', '), value);
  }

  /** As `oneOf`, for a word that must be there. */
  choice<const W extends string>(name: string, words: readonly W[]): W {
    return this.oneOf(name, words) ?? this.#wrong(name, words.join(', '), null);
  }

  text(name: string): string | undefined {
    const value = this.#get(name);
    return value === undefined || typeof value === 'string' ? value : this.#wrong(name, 'a word', value);
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    const fits = Array.isArray(value) && value.every((one) => typeof one === 'number');
    return fits ? (value as readonly number[]) : this.#wrong(name, 'a list of numbers', value);
  }

  /** Options inside an option. What is not read inside counts as unread here. */
  within(name: string): Attributes | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    return isRecord(value) ? this.#child(name, value) : this.#wrong(name, 'an object', value);
  }

  list(name: string): readonly Attributes[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every(isRecord)) return this.#wrong(name, 'a list of objects', value);
    return value.map((one, i) => this.#child(`${name}[${i}]`, one));
  }

  /** Marks attributes that describe and change nothing. */
  note(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  readonly #children: Attributes[] = [];

  #child(name: string, values: Values): Attributes {
    const child = new Attributes(values, `${this.#where}${name}.`);
    this.#children.push(child);
    return child;
  }

  /** The attributes that nobody read. */
  get unread(): readonly string[] {
    const own = Object.entries(this.#values).filter(
      ([name, value]) => value !== null && !this.#read.has(name),
    );
    return [...own.map(([name]) => this.#where + name), ...this.#children.flatMap(({ unread }) => unread)];
  }
}

const isRecord = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
