// @heed/registry: names to values, typed.

export type {
  Addition,
  AsPlugin,
  AttentionChoice,
  Catalog,
  CatalogOf,
  Choose,
  ChooseBackend,
  EmptyCatalog,
  LayerOf,
  Named,
  VariantChoice,
  With,
} from './catalog.ts';
export { packageOf } from './known.ts';
export { lazyBackend, type Opened, type PassedOver } from './open.ts';
export type { AnyFactory, AnyVariant, Kind, Plugin } from './plugin.ts';
export { createRegistry, type Listing, type Registry, type VariantListing } from './registry.ts';
