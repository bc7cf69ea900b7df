// The trained tensors of a composition, started from a seed.

import { type Sizes, sizeOf } from '@heed/expr';
import {
  type Device,
  type FloatDType,
  full,
  NameError,
  normal,
  parameter,
  ShapeError,
  type Tensor,
  ValueError,
} from '@heed/tensor';
import type { Part } from './part.ts';

export interface ParametersOptions {
  /** The same seed gives the same tensors on every backend. */
  readonly seed: number;
  /** Sizes of the dims of rows (`feature`, or `queryFeature` and `keyFeature`); any other dim to change its default. */
  readonly sizes?: Sizes;
  /** Needed where a parameter differs by head. */
  readonly heads?: number;
  readonly dtype?: FloatDType;
}

/**
 * Makes the parameters of parts, tracked and by name: matrices and vectors normal with deviation 1 / sqrt(last dim), or
 * at the constant that their definition starts them with.
 *
 * @param of a part, or anything that carries parts: `parameters(attend, device, { seed: 1, sizes: { feature: 8 } })`.
 * @throws ShapeError where the size of a dim is not known.
 */
export function parameters(
  of: Part | { readonly parts: readonly Part[] },
  device: Device,
  { seed, sizes = {}, heads, dtype = 'float32' }: ParametersOptions,
): Record<string, Tensor> {
  if (!Number.isSafeInteger(seed))
    throw new ValueError(`parameters: the seed expects a whole number, got ${String(seed)}.`);
  const parts = 'parts' in of ? of.parts : [of];
  const made: Record<string, Tensor> = {};
  for (const part of parts) {
    const known: Record<string, number | undefined> = { ...part.sizes, ...sizes };
    for (const [name, { type, along, initial }] of Object.entries(part.params)) {
      if (made[name])
        throw new NameError(`parameters: two parts declare "${name}". Rename one of them in its definition.`);
      const lead = along.map((axis) => {
        if (axis === 'head' && heads !== undefined) return heads;
        throw new ShapeError(
          `parameters: "${name}" of ${part.label} differs along ${axis}: give heads, or make this tensor yourself.`,
        );
      });
      const shape = [
        ...lead,
        ...type.dims.map((dim) => {
          const size = sizeOf(dim, known as Sizes);
          if (size !== undefined) return size;
          throw new ShapeError(
            `parameters: "${name}" of ${part.label} is [${type.dims.join(', ')}], and the size of "${dim}" is not known. Give it: sizes: { ${dim}: ... }.`,
          );
        }),
      ];
      if (type.lookups > 0)
        throw new ShapeError(
          `parameters: "${name}" of ${part.label} is a table, whose lengths are yours to choose. Make it with zeros(...) or normal(...).`,
        );
      const stream = Object.keys(made).length;
      const width = shape[shape.length - 1] ?? 1;
      made[name] = parameter(
        initial === 'scaled-normal'
          ? normal(device, shape, { seed, stream, deviation: 1 / Math.sqrt(Math.max(1, width)), dtype })
          : full(device, shape, initial, { dtype }),
      );
    }
  }
  return made;
}
