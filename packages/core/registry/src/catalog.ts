// The types of a registry: which names it knows and what options each takes, read off the values that were used.

import type { Mask, Modifier, Normalizer, OptionsOf, Reweight, Score } from '@heed/attention';
import type { BackendPlugin, Device } from '@heed/tensor';
import type { AnyFactory, AnyVariant, Kind, Plugin, Slot, slots } from './plugin.ts';

/** Options by name for each kind of part, factories of layers by name, and the names of backends. */
export interface Catalog {
  readonly scores: object;
  readonly modifiers: object;
  readonly masks: object;
  readonly normalizers: object;
  readonly reweights: object;
  readonly variants: object;
  readonly backends: string;
}

/** Nothing yet. */
export interface EmptyCatalog {
  readonly scores: {};
  readonly modifiers: {};
  readonly masks: {};
  readonly normalizers: {};
  readonly reweights: {};
  readonly variants: {};
  readonly backends: never;
}

type Entries<F> = { readonly [One in F as One extends AnyFactory ? One['partName'] : never]: OptionsOf<One> };
type Factories<F> = { readonly [One in F as One extends AnyVariant ? One['layerName'] : never]: One };
type Listed<P, S extends PropertyKey> = P extends { readonly [K in S]: readonly (infer One)[] } ? One : never;
type BackendNames<B> = B extends BackendPlugin<infer Name> ? Name : never;

/** A catalog and what a plugin adds to it. */
export interface With<C extends Catalog, P> extends Catalog {
  readonly scores: C['scores'] & Entries<Listed<P, 'scores'>>;
  readonly modifiers: C['modifiers'] & Entries<Listed<P, 'modifiers'>>;
  readonly masks: C['masks'] & Entries<Listed<P, 'masks'>>;
  readonly normalizers: C['normalizers'] & Entries<Listed<P, 'normalizers'>>;
  readonly reweights: C['reweights'] & Entries<Listed<P, 'reweights'>>;
  readonly variants: C['variants'] & Factories<Listed<P, 'variants'>>;
  readonly backends: C['backends'] | BackendNames<Listed<P, 'backends'>>;
}

/** A single part, variant or backend, as the plugin that would hold it. */
export type AsPlugin<One> = One extends AnyFactory
  ? { readonly [K in (typeof slots)[One['kind'] & Kind]]: readonly [One] }
  : One extends AnyVariant
    ? { readonly variants: readonly [One] }
    : { readonly backends: readonly [One] };

export type Addition = Plugin | AnyFactory | AnyVariant | BackendPlugin;

/** A bare name where every option has a default; otherwise the name with its options. */
export type Named<Of> = {
  [Name in keyof Of & string]: ({} extends Of[Name] ? Name : never) | ({ readonly name: Name } & Of[Name]);
}[keyof Of & string];

type Made = { scores: Score; modifiers: Modifier; masks: Mask; normalizers: Normalizer; reweights: Reweight };

/** A part as a value, by name, or by name with options. */
export type Choose<C extends Catalog, S extends Slot> = Made[S] | Named<C[S]>;

/** What `attention` takes of a registry: as `attention` of @heed/attention, and names. */
export interface AttentionChoice<C extends Catalog> {
  readonly score: Choose<C, 'scores'>;
  readonly normalizer: Choose<C, 'normalizers'>;
  /** A mask, or several that must all allow a pair. */
  readonly mask?: Choose<C, 'masks'> | readonly Choose<C, 'masks'>[];
  /** In the order in which they apply. */
  readonly modifiers?: readonly Choose<C, 'modifiers'>[];
  readonly reweight?: readonly Choose<C, 'reweights'>[];
  readonly dropout?: number;
}

type LayerOptionsOf<F> = F extends (device: Device, options: infer O) => unknown ? O : never;

/** A layer by the name of its variant, with its options; each part of its attention is a value or a name. */
export type VariantChoice<C extends Catalog, Name extends keyof C['variants']> = {
  readonly variant: Name;
} & Omit<LayerOptionsOf<C['variants'][Name]>, keyof AttentionChoice<C>> &
  Pick<Partial<AttentionChoice<C>>, keyof AttentionChoice<C> & keyof LayerOptionsOf<C['variants'][Name]>>;

/** The layer that a variant makes. */
export type LayerOf<F> = F extends (device: Device, options: never) => infer Made ? Made : never;

/** A backend by name or as a value. */
export type ChooseBackend<C extends Catalog> = C['backends'] | BackendPlugin;

/** The catalog of a registry. */
export type CatalogOf<R> = R extends { readonly resolve: (choice: AttentionChoice<infer C>) => unknown }
  ? C
  : never;
