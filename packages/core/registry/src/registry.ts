// A registry: names to values. Built from values, so its types and what it holds cannot disagree.

import { type Attend, type AttentionOptions, attention } from '@heed/attention';
import type { BackendPlugin } from '@heed/tensor';
import { type Book, emptyBook, enter, findBackend } from './book.ts';
import type {
  Addition,
  AsPlugin,
  AttentionChoice,
  Catalog,
  ChooseBackend,
  EmptyCatalog,
  With,
} from './catalog.ts';
import { type Opened, openFirst } from './open.ts';
import { type AnyFactory, type Kind, kinds, type Plugin } from './plugin.ts';
import { type Accept, resolve } from './resolve.ts';

/** A part that a registry has, for menus and documents. */
export interface Listing {
  readonly kind: Kind;
  readonly name: string;
  /** The plugin that brought it. */
  readonly origin: string;
  /** Every option, size and uniform with its default; undefined where one must be given or may be left out. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** Parts and backends by name. Immutable: `use` returns another registry, with more names in its type. */
export interface Registry<C extends Catalog> {
  /**
   * This registry and a part, a backend, or a plugin of several.
   *
   * @throws NameError for a name that is taken, naming both origins.
   */
  use<const One extends AnyFactory | BackendPlugin>(one: One): Registry<With<C, AsPlugin<One>>>;
  use<const P extends Plugin>(plugin: P): Registry<With<C, P>>;

  /**
   * Composes an attention; each part is a value, a name, or a name with options.
   *
   * @throws NameError for names and options that do not exist, with near ones; what `attention` of @heed/attention throws.
   */
  attention(choice: AttentionChoice<C>): Attend;
  /** The parts that `attention` would compose. */
  resolve(choice: AttentionChoice<C>): AttentionOptions;
  /** As `attention`, from data of unknown origin: nothing but names and options is accepted. */
  fromJSON(config: unknown): Attend;

  /**
   * Opens the first backend of a list that can be opened here. There is no fallback beyond the list.
   *
   * @throws BackendError with the reason of each.
   */
  open(choice: ChooseBackend<C> | readonly ChooseBackend<C>[]): Promise<Opened>;

  /** Every part, by kind and name. */
  readonly parts: readonly Listing[];
  /** The names of the backends. */
  readonly backends: readonly string[];
}

/**
 * An empty registry.
 *
 * @example
 * const registry = createRegistry().use(additive).use(causal).use(softmax);
 * registry.attention({ score: { name: 'additive', hidden: 32 }, mask: 'causal', normalizer: 'softmax' });
 */
export const createRegistry = (): Registry<EmptyCatalog> => over<EmptyCatalog>(emptyBook);

function over<C extends Catalog>(book: Book): Registry<C> {
  const resolved = (choice: unknown, accept: Accept): AttentionOptions => resolve(book, choice, accept);
  return Object.freeze({
    // One implementation for both signatures: what is added is told apart by its form.
    use: ((addition: Addition) => over(enter(book, addition))) as Registry<C>['use'],
    attention: (choice: AttentionChoice<C>) => attention(resolved(choice, 'names and values')),
    resolve: (choice: AttentionChoice<C>) => resolved(choice, 'names and values'),
    fromJSON: (config: unknown) => attention(resolved(config, 'names')),
    open: async (choice: ChooseBackend<C> | readonly ChooseBackend<C>[]) => {
      const list = (Array.isArray(choice) ? choice : [choice]) as readonly (string | BackendPlugin)[];
      // Every name is looked up before any device is opened: a slip in the second must not hide behind the first.
      return openFirst(list.map((one) => (typeof one === 'string' ? findBackend(book, one) : one)));
    },
    parts: kinds.flatMap((kind) =>
      [...book.parts[kind]].map(([name, { factory, origin }]) => ({
        kind,
        name,
        origin,
        defaults: factory.defaults,
      })),
    ),
    backends: [...book.backends.keys()],
  });
}
