// The trained tensors of an attention's parts, as parameters of the layer that holds the attention.

import { type Part, parameters } from '@heed/attention';
import { type Sizes, sizeOf } from '@heed/expr';
import { NameError, ShapeError, type Tensor } from '@heed/tensor';
import type { Parameters } from './layer.ts';
import type { Site } from './site.ts';

/** What parameters of parts need to know. */
export interface PartSizes {
  /** Of the dims of rows: `feature`, or `queryFeature` and `keyFeature`. */
  readonly sizes: Sizes;
  /** For parameters that differ by head. */
  readonly heads?: number;
}

/** The tensors by the parts' own names; their paths are those names after the prefix. */
export function partParameters(
  site: Site,
  prefix: string,
  parts: readonly Part[],
  of: PartSizes,
): Parameters {
  const made: Record<string, Tensor> = {};
  for (const part of parts) {
    for (const [name, declared] of Object.entries(part.params)) {
      if (made[name]) throw new NameError(`${site.where}: two parts declare "${name}". Rename one of them.`);
      const path = prefix + name;
      const given = site.given(path);
      if (given) checkShape(site, path, given, declared, of);
      made[name] = given
        ? site.take(path, given)
        : site.keep(path, fresh(site, path, part, name, declared, of));
    }
  }
  return made;
}

/** Refuses another shape, as far as the layer knows it. What is left open, the attention checks at each call. */
function checkShape(
  site: Site,
  path: string,
  { shape }: Tensor,
  { type, along }: Part['params'][string],
  { sizes, heads }: PartSizes,
): void {
  const expected = [
    ...along.map((axis) => (axis === 'head' ? (heads ?? axis) : axis)),
    ...Array.from({ length: type.lookups }, () => 'any'),
    ...type.dims.map((dim) => sizeOf(dim, sizes) ?? dim),
  ];
  const fits =
    shape.length === expected.length &&
    expected.every((size, axis) => typeof size === 'string' || size === shape[axis]);
  if (fits) return;
  throw new ShapeError(
    `${site.where}: "${path}" must be [${expected.join(', ')}], got [${shape.join(', ')}].`,
  );
}

function fresh(
  site: Site,
  path: string,
  part: Part,
  name: string,
  declared: Part['params'][string],
  { sizes, heads }: PartSizes,
): Tensor {
  if (declared.type.lookups > 0) {
    throw new ShapeError(
      `${site.where}: "${path}" is a table of ${part.label}, whose lengths are yours to choose. Make it with zeros or normal, ` +
        `and give it: parameters: { '${path}': ... }.`,
    );
  }
  return parameters({ parts: [{ ...part, params: { [name]: declared } }] }, site.device, {
    seed: declared.initial === 'scaled-normal' ? site.seedOf(path) : 0,
    sizes,
    dtype: site.dtype,
    ...(heads === undefined ? {} : { heads }),
  })[name] as Tensor;
}
