// A plugin: parts, layers and backends under one name, as a plain value. Importing one registers nothing; `use` does.

import type { Mask, Modifier, Normalizer, Part, Reweight, Score } from '@heed/attention';
import type { BackendPlugin, Device } from '@heed/tensor';

/** A factory of any name and options: what `defineScore` and its sisters return. */
export interface AnyFactory<P extends Part = Part> {
  (...choice: never): P;
  readonly kind: P['kind'];
  readonly partName: string;
  readonly fromJSON: (choice: Readonly<Record<string, unknown>>, path: string) => P;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** A factory of layers of any name and options: what `defineLayer` of @heed/nn returns. */
export interface AnyVariant {
  (device: Device, options: never): unknown;
  readonly kind: 'layer';
  readonly layerName: string;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** What a package offers. Names are those that the parts were defined with. */
export interface Plugin {
  /** Named in errors as the origin of its parts: the package's name. */
  readonly name: string;
  readonly scores?: readonly AnyFactory<Score>[];
  readonly modifiers?: readonly AnyFactory<Modifier>[];
  readonly masks?: readonly AnyFactory<Mask>[];
  readonly normalizers?: readonly AnyFactory<Normalizer>[];
  readonly reweights?: readonly AnyFactory<Reweight>[];
  readonly variants?: readonly AnyVariant[];
  readonly backends?: readonly BackendPlugin[];
}

/** Where parts of each kind stand in a plugin. */
export const slots = {
  score: 'scores',
  modifier: 'modifiers',
  mask: 'masks',
  normalizer: 'normalizers',
  reweight: 'reweights',
} as const satisfies Record<Part['kind'], keyof Plugin>;

export type Kind = keyof typeof slots;
export type Slot = (typeof slots)[Kind];

export const kinds = Object.keys(slots) as readonly Kind[];
