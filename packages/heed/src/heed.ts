// One entry: a device, a registry with everything in it, and attention by name. Composition only; no logic.

import { type Attend, parameters } from '@heed/attention';
import type {
  AnyFactory,
  AnyVariant,
  AsPlugin,
  AttentionChoice,
  Catalog,
  CatalogOf,
  ChooseBackend,
  LayerOf,
  PassedOver,
  Plugin,
  Registry,
  VariantChoice,
  With,
} from '@heed/registry';
import {
  asyncDispose,
  type BackendPlugin,
  type Device,
  type DType,
  type DTypeOf,
  type Tensor,
  type TensorData,
  type TensorOptions,
  tensor,
} from '@heed/tensor';
import { defaultRegistry } from './parts.ts';

type ParametersOptions = Parameters<typeof parameters>[2];

/** The names that heed comes with. */
export type DefaultCatalog = CatalogOf<typeof defaultRegistry>;

export interface HeedOptions {
  /** A backend by name or as a value, or a list to try in this order. `'cpu'` if left out, and nothing in its place. */
  readonly backend?: ChooseBackend<DefaultCatalog> | readonly ChooseBackend<DefaultCatalog>[];
}

/** As `registry.attention`, with softmax where no normalizer is given. */
export type HeedChoice<C extends Catalog> = Omit<AttentionChoice<C>, 'normalizer'> &
  Partial<Pick<AttentionChoice<C>, 'normalizer'>>;

/** A device and the parts that can be named on it. */
export interface Heed<C extends Catalog> {
  readonly device: Device;
  /** The backends before this device in the list, and why they could not be opened. */
  readonly passedOver: readonly PassedOver[];
  readonly registry: Registry<C>;

  /**
   * Composes an attention from names, names with options, and values. Without a mask every key takes part, without a
   * normalizer softmax weighs them. `attend.explain(query, key, value)` says what is done.
   *
   * @throws NameError for names and options that do not exist, with near ones.
   */
  attention(choice: HeedChoice<C>): Attend;
  /** As `attention`, from data of unknown origin: nothing but names and options is accepted. */
  fromJSON(config: unknown): Attend;
  /**
   * Makes a layer on the device: `heed.layer({ variant: 'multi-head', width: 64, heads: 8, mask: 'causal', seed: 1 })`. Each
   * part of its attention is a value, a name, or a name with options.
   *
   * @throws NameError for names and options that do not exist, with near ones.
   */
  layer<const Name extends keyof C['variants'] & string>(
    choice: VariantChoice<C, Name>,
  ): LayerOf<C['variants'][Name]>;
  /** As `layer`, from data of unknown origin. */
  layerFromJSON(config: unknown): unknown;
  /** A tensor on the device: `heed.tensor([[1, 2], [3, 4]])`. */
  tensor<T extends TensorData, D extends DType = DTypeOf<T>>(data: T, options?: TensorOptions<D>): Tensor<D>;
  /** The trained tensors of an attention, started from a seed. */
  parameters(of: Attend, options: ParametersOptions): Record<string, Tensor>;

  /**
   * The same device with more names: a plugin, a part, a variant or a backend.
   *
   * @throws NameError for a name that is taken, naming both origins.
   */
  use<const One extends AnyFactory | AnyVariant | BackendPlugin>(one: One): Heed<With<C, AsPlugin<One>>>;
  use<const P extends Plugin>(plugin: P): Heed<With<C, P>>;

  /** Frees the device and everything on it. */
  close(): Promise<void>;
  [asyncDispose](): Promise<void>;
}

/**
 * Opens a device and names everything that heed comes with.
 *
 * @example
 * const heed = await createHeed();
 * const attend = heed.attention({ score: 'scaled-dot', mask: 'causal' });
 *
 * @throws BackendError with the reason of each backend, where none can be opened here; where WebAssembly is missing or
 * forbidden it names the reference backend.
 */
export async function createHeed({ backend = 'cpu' }: HeedOptions = {}): Promise<Heed<DefaultCatalog>> {
  const { device, passedOver } = await defaultRegistry.open(backend);
  return over(device, passedOver, defaultRegistry);
}

function over<C extends Catalog>(
  device: Device,
  passedOver: readonly PassedOver[],
  registry: Registry<C>,
): Heed<C> {
  return Object.freeze({
    device,
    passedOver,
    registry,
    attention: (choice: HeedChoice<C>) => registry.attention(withSoftmax(choice) as AttentionChoice<C>),
    fromJSON: (config: unknown) => registry.fromJSON(withSoftmax(config)),
    layer: <const Name extends keyof C['variants'] & string>(choice: VariantChoice<C, Name>) =>
      registry.layer(device, choice),
    layerFromJSON: (config: unknown) => registry.layerFromJSON(device, config),
    tensor: <T extends TensorData, D extends DType = DTypeOf<T>>(data: T, options?: TensorOptions<D>) =>
      tensor<T, D>(device, data, options),
    parameters: (of: Attend, options: ParametersOptions) => parameters(of, device, options),
    // One implementation for both signatures, as in the registry.
    use: ((addition: Plugin) => over(device, passedOver, registry.use(addition))) as Heed<C>['use'],
    close: () => device.close(),
    [asyncDispose]: () => device.close(),
  });
}

/** Anything but an object is left as it is, for the registry to refuse. */
const withSoftmax = (choice: unknown): unknown =>
  typeof choice === 'object' && choice !== null && !Array.isArray(choice)
    ? { normalizer: 'softmax', ...choice }
    : choice;
