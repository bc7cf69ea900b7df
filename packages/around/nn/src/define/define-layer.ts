// defineLayer: a name, options stated once, and a function that makes parameters and returns what the layer computes.

import type { Choice, Chosen, Options, Part } from '@heed/attention';
import { type Device, type FloatDType, type Shape, scope, type Tensor } from '@heed/tensor';
import type { Initializer } from '../initial/initializer.ts';
import type {
  AnyLayerFactory,
  Definition,
  Inner,
  Layer,
  LayerChoice,
  LayerFactory,
  LayerOptions,
  Parameters,
} from './layer.ts';
import { checkDevice, checkObject, settle } from './options.ts';
import { type PartSizes, partParameters } from './part-parameters.ts';
import { Site } from './site.ts';

/** What a layer is made with. Names become paths: those of a layer inside begin with the name it was added under. */
export interface Builder {
  readonly device: Device;
  /** Of fresh parameters. */
  readonly dtype: FloatDType;
  /** For messages. */
  readonly where: string;
  /** A trained tensor: fresh, or the one that was given for its path. */
  readonly parameter: (name: string, shape: Shape, initial: Initializer) => Tensor;
  /** A layer inside this one. */
  readonly add: <F extends AnyLayerFactory>(name: string, factory: F, options: LayerChoice<F>) => Inner<F>;
  /** The trained tensors of the parts of an attention, `name.w`, `name.u`, ..., by their own names. */
  readonly parts: (name: string, parts: readonly Part[], sizes: PartSizes) => Parameters;
}

/**
 * Defines a layer. `make` runs once for each layer that is made; what it returns is the layer, a function (with methods,
 * if it has any). Whatever tensors a call makes on the way are disposed when it returns.
 *
 * @example
 * const gate = defineLayer({
 *   name: 'gate',
 *   options: { width: option.integer({ min: 1 }) },
 *   make: ({ width }, { add }) => {
 *     const open = add('open', linear, { in: width, out: width });
 *     return (x: Tensor): Tensor => mul(x, sigmoid(open(x)));
 *   },
 * });
 * const layer = gate(device, { width: 8, seed: 1 }); // parameters 'open.weight', 'open.bias'
 * layer(x);
 */
export function defineLayer<
  const Name extends string,
  O extends Options,
  F extends (...given: never) => unknown,
>(given: {
  readonly name: Name;
  readonly options: O;
  readonly make: (options: Chosen<O>, build: Builder) => F;
}): LayerFactory<Name, O, F> {
  const definition = given as unknown as Definition;
  const create = (device: Device, options: Choice<O> & LayerOptions): Layer<F> => {
    checkDevice(given.name, device);
    checkObject(given.name, options);
    const { seed, dtype, parameters, ...own } = options as Record<string, unknown> & LayerOptions;
    const site = new Site(given.name, device, { seed, dtype, parameters });
    const { forward, label } = build(definition, site, '', own);
    return Object.assign(scoped(device, forward), { ...site.finish(), label }) as unknown as Layer<F>;
  };
  const defaults = Object.fromEntries(
    Object.entries(given.options).map(([name, { fallback }]) => [name, fallback]),
  );
  const factory = Object.assign(create, {
    kind: 'layer',
    layerName: given.name,
    defaults,
    definition,
  } as const);
  return factory as unknown as LayerFactory<Name, O, F>;
}

function build({ name, options, make }: Definition, site: Site, prefix: string, given: object) {
  const { chosen, label } = settle(name, options, given);
  const { device, dtype, where } = site;
  const forward = make(chosen as never, {
    device,
    dtype,
    where,
    parameter: (own, shape, initial) => site.parameter(prefix + own, shape, initial),
    parts: (own, parts, sizes) => partParameters(site, `${prefix}${own}.`, parts, sizes),
    add: (own, factory, choice) => inner(factory, site, `${prefix}${own}.`, choice as object),
  }) as Call;
  return { forward, label };
}

/** A layer on the site of another, which holds its parameters. */
function inner<F extends AnyLayerFactory>(factory: F, site: Site, prefix: string, given: object): Inner<F> {
  const { forward, label } = build(factory.definition, site, prefix, given);
  return Object.assign(forward, { label, parameters: site.under(prefix) }) as unknown as Inner<F>;
}

type Call = (...given: unknown[]) => unknown;

/** The function and its methods, each of which leaves nothing behind but what it returns. */
function scoped(device: Device, forward: Call): Call {
  const within =
    (call: Call): Call =>
    (...given) =>
      scope(device, () => call(...given));
  const methods = Object.entries(forward).map(([name, one]) => [
    name,
    typeof one === 'function' ? within(one as Call) : one,
  ]);
  return Object.assign(within(forward), Object.fromEntries(methods));
}
