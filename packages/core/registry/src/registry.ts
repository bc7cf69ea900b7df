// A registry: names to values. Built from values, so its types and what it holds cannot disagree.

import { type Attend, type AttentionOptions, attention } from '@heed/attention';
import type { BackendPlugin, Device } from '@heed/tensor';
import { type Book, emptyBook, enter, findBackend } from './book.ts';
import type {
  Addition,
  AsPlugin,
  AttentionChoice,
  Catalog,
  ChooseBackend,
  EmptyCatalog,
  LayerOf,
  VariantChoice,
  With,
} from './catalog.ts';
import { type Opened, openFirst } from './open.ts';
import { type AnyFactory, type AnyVariant, type Kind, kinds, type Plugin } from './plugin.ts';
import { type Accept, resolve, resolveVariant } from './resolve.ts';

/** A part that a registry has, for menus and documents. */
export interface Listing {
  readonly kind: Kind;
  readonly name: string;
  /** The plugin that brought it. */
  readonly origin: string;
  /** Every option, size and uniform with its default; undefined where one must be given or may be left out. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** A variant that a registry has, for menus and documents. */
export type VariantListing = Omit<Listing, 'kind'>;

/** Parts, variants and backends by name. Immutable: `use` returns another registry, with more names in its type. */
export interface Registry<C extends Catalog> {
  /**
   * This registry and a part, a variant, a backend, or a plugin of several.
   *
   * @throws NameError for a name that is taken, naming both origins.
   */
  use<const One extends AnyFactory | AnyVariant | BackendPlugin>(one: One): Registry<With<C, AsPlugin<One>>>;
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
   * Makes a layer: `registry.layer(device, { variant: 'multi-head', width: 64, heads: 8, score: 'dot', seed: 1 })`. Each part of its
   * attention is a value, a name, or a name with options.
   *
   * @throws NameError for names and options that do not exist, with near ones; what the layer throws.
   */
  layer<const Name extends keyof C['variants'] & string>(
    device: Device,
    choice: VariantChoice<C, Name>,
  ): LayerOf<C['variants'][Name]>;
  /** As `layer`, from data of unknown origin: no part is accepted as a value. */
  layerFromJSON(device: Device, config: unknown): unknown;

  /**
   * Opens the first backend of a list that can be opened here. There is no fallback beyond the list.
   *
   * @throws BackendError with the reason of each.
   */
  open(choice: ChooseBackend<C> | readonly ChooseBackend<C>[]): Promise<Opened>;

  /** Every part, by kind and name. */
  readonly parts: readonly Listing[];
  /** Every variant, by name. */
  readonly variants: readonly VariantListing[];
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
  const made = (device: Device, choice: unknown, accept: Accept): unknown => {
    const { factory, options } = resolveVariant(book, choice, accept);
    return factory(device, options as never);
  };
  return Object.freeze({
    // One implementation for both signatures: what is added is told apart by its form.
    use: ((addition: Addition) => over(enter(book, addition))) as Registry<C>['use'],
    attention: (choice: AttentionChoice<C>) => attention(resolved(choice, 'names and values')),
    resolve: (choice: AttentionChoice<C>) => resolved(choice, 'names and values'),
    fromJSON: (config: unknown) => attention(resolved(config, 'names')),
    layer: (device: Device, choice: unknown) => made(device, choice, 'names and values') as never,
    layerFromJSON: (device: Device, config: unknown) => made(device, config, 'names'),
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
    variants: [...book.variants].map(([name, { factory, origin }]) => ({
      name,
      origin,
      defaults: factory.defaults,
    })),
    backends: [...book.backends.keys()],
  });
}
