// The building site of a layer: where its parameters come from, and under which paths.

import { didYouMean } from '@heed/expr';
import {
  type Device,
  DTypeError,
  type FloatDType,
  NameError,
  parameter,
  type Shape,
  ShapeError,
  scope,
  type Tensor,
  ValueError,
} from '@heed/tensor';
import type { Initializer } from '../initial/initializer.ts';
import type { LayerOptions, Parameters } from './layer.ts';
import { seedOf } from './seed.ts';

const floats = ['float64', 'float32', 'float16', 'bfloat16'] as const satisfies readonly FloatDType[];

/** Makes or takes the parameters of one layer, the outermost, and of all layers within. */
export class Site {
  readonly where: string;
  readonly device: Device;
  readonly dtype: FloatDType;
  readonly #seed: number | undefined;
  readonly #given: Parameters;
  readonly #all = new Map<string, Tensor>();
  readonly #fresh: Tensor[] = [];

  /** @throws ValueError, DTypeError for a seed, dtype or parameters that are none. */
  constructor(
    where: string,
    device: Device,
    {
      seed,
      dtype = 'float32',
      parameters = {},
    }: { readonly [K in keyof LayerOptions]: LayerOptions[K] | undefined },
  ) {
    if (seed !== undefined && !(Number.isInteger(seed) && seed >= -(2 ** 31) && seed < 2 ** 32)) {
      throw new ValueError(
        `${where}: the option "seed" expects a whole number of 32 bits, got ${String(seed)}.`,
      );
    }
    if (!floats.includes(dtype)) {
      throw new DTypeError(
        `${where}: the option "dtype" expects one of ${floats.join(', ')}, got ${String(dtype)}.`,
      );
    }
    this.where = where;
    this.device = device;
    this.dtype = dtype;
    this.#seed = seed;
    this.#given = parameters;
  }

  /** The seed of what has this path. @throws ValueError where no seed was given. */
  seedOf(path: string): number {
    if (this.#seed !== undefined) return seedOf(this.#seed, path);
    throw new ValueError(
      `${this.where}: "${path}" has to be drawn, and there is no seed. Give the option seed, or the tensor itself: ` +
        `parameters: { '${path}': ... }.`,
    );
  }

  /** The tensor that was given for a path, if any. It is not checked. */
  given(path: string): Tensor | undefined {
    return Object.hasOwn(this.#given, path) ? this.#given[path] : undefined;
  }

  /** What was entered under a prefix so far, by the paths that follow it. */
  under(prefix: string): Parameters {
    const inside = [...this.#all].filter(([path]) => path.startsWith(prefix));
    return Object.freeze(Object.fromEntries(inside.map(([path, one]) => [path.slice(prefix.length), one])));
  }

  /** The tensor given for this path, or a fresh one, tracked. */
  parameter(path: string, shape: Shape, initial: Initializer): Tensor {
    const given = this.given(path);
    if (given) return this.#take(path, given, shape);
    const { device, dtype } = this;
    return this.keep(
      path,
      parameter(
        scope(device, () =>
          initial.draw(device, shape, {
            dtype,
            // Read only by what draws: a bias of zeros needs no seed.
            seed: () => this.seedOf(path),
          }),
        ),
      ),
    );
  }

  /** Enters a tensor that was made for this path. */
  keep(path: string, fresh: Tensor): Tensor {
    this.#fresh.push(fresh);
    return this.#enter(path, fresh);
  }

  /** Enters a tensor that was given for this path, of whatever shape. */
  take(path: string, given: Tensor): Tensor {
    return this.#take(path, given, given.shape);
  }

  /** All that was entered, once a layer is done. @throws NameError for given tensors that nobody asked for. */
  finish(): { readonly parameters: Parameters; readonly dispose: () => void } {
    for (const path of Object.keys(this.#given)) {
      if (this.#all.has(path)) continue;
      const known = [...this.#all.keys()];
      throw new NameError(
        `${this.where}: parameters has "${path}", which this layer does not have.${didYouMean(path, known)} ` +
          (known.length > 0 ? `It has ${known.join(', ')}.` : 'It has none.'),
      );
    }
    const fresh = this.#fresh;
    return {
      parameters: Object.freeze(Object.fromEntries(this.#all)),
      dispose: () => {
        for (const one of fresh) one.dispose();
      },
    };
  }

  #take(path: string, given: Tensor, shape: Shape): Tensor {
    const { where, device } = this;
    if (!(floats as readonly string[]).includes(given.dtype))
      throw new DTypeError(`${where}: "${path}" expects floats, got ${given}.`);
    if (given.device !== device)
      throw new DTypeError(
        `${where}: "${path}" lives on another device than the layer. Make it on the layer's.`,
      );
    if (given.shape.join() !== shape.join()) {
      const turned = given.shape.toReversed().join() === shape.join();
      throw new ShapeError(
        `${where}: "${path}" must be [${shape.join(', ')}], got [${given.shape.join(', ')}].${turned ? ' It looks transposed.' : ''}`,
      );
    }
    return this.#enter(path, given);
  }

  #enter(path: string, tensor: Tensor): Tensor {
    if (this.#all.has(path))
      throw new NameError(
        `${this.where}: there are two parameters "${path}". Rename one of them in the layer's definition.`,
      );
    this.#all.set(path, tensor);
    return tensor;
  }
}
