// From a flat index to places in tensors: axes that all tensors walk alike are one axis.

import type { Layout } from './plan.ts';
import type { Code, ShaderWriter } from './shader.ts';

export const product = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** Axes and each tensor's strides along them, outermost first. */
export interface Walk {
  readonly shape: readonly number[];
  /** The axis of the program that each axis was, or of which it is the innermost. */
  readonly origins: readonly number[];
  readonly strides: Readonly<Record<string, readonly number[]>>;
}

/** The walk over all elements of tensors of one shape, each axis by itself. */
export function walkOver(shape: readonly number[], layouts: Readonly<Record<string, Layout>>): Walk {
  return {
    shape,
    origins: shape.map((_, axis) => axis),
    strides: Object.fromEntries(Object.entries(layouts).map(([name, { strides }]) => [name, strides])),
  };
}

/**
 * The same walk over fewer axes: those of size one are dropped, neighbours that are one piece in every tensor are joined.
 *
 * @param fixed axes of the program that stay as they are: their coordinates are read.
 */
export function collapse({ shape, origins, strides }: Walk, fixed: ReadonlySet<number> = new Set()): Walk {
  const names = Object.keys(strides);
  const kept: { size: number; origin: number; steps: number[] }[] = [];
  shape.forEach((size, axis) => {
    const origin = origins[axis] as number;
    if (size === 1 && !fixed.has(origin)) return;
    const steps = names.map((name) => strides[name]?.[axis] as number);
    const last = kept.at(-1);
    const joins =
      last &&
      !fixed.has(origin) &&
      !fixed.has(last.origin) &&
      last.steps.every((step, i) => step === (steps[i] as number) * size);
    if (joins) kept[kept.length - 1] = { size: last.size * size, origin, steps };
    else kept.push({ size, origin, steps });
  });
  return {
    shape: kept.map(({ size }) => size),
    origins: kept.map(({ origin }) => origin),
    strides: Object.fromEntries(names.map((name, i) => [name, kept.map(({ steps }) => steps[i] as number)])),
  };
}

/** Part of a walk: axes from one up to another. */
export function part({ shape, origins, strides }: Walk, from: number, to = shape.length): Walk {
  return {
    shape: shape.slice(from, to),
    origins: origins.slice(from, to),
    strides: Object.fromEntries(
      Object.entries(strides).map(([name, steps]) => [name, steps.slice(from, to)]),
    ),
  };
}

/** What distinguishes shaders over this walk: its axes, and which strides are 0 or 1. */
export const classOf = ({ origins, strides }: Walk): string =>
  `${origins.join('.')}|${Object.entries(strides)
    .map(
      ([name, steps]) => `${name}:${steps.map((step) => (step === 0 || step === 1 ? step : 'n')).join('')}`,
    )
    .join(',')}`;

/** The numbers that a `Walker` of the same label reads. */
export function numbersOf({ shape, strides }: Walk, label = ''): Record<string, number> {
  const numbers: Record<string, number> = {};
  shape.forEach((size, axis) => {
    numbers[`${label}size${axis}`] = size;
    for (const [name, steps] of Object.entries(strides))
      numbers[`${label}${name}/${axis}`] = steps[axis] as number;
  });
  return numbers;
}

/** Writes the coordinates of a flat, row-major index over a walk, and from them places in tensors. */
export class Walker {
  readonly #shader: ShaderWriter;
  readonly #code: Code;
  readonly #walk: Walk;
  readonly #label: string;
  /** The coordinates, outermost first. */
  readonly at: readonly string[];

  /** @param label tells walks of one shader apart. */
  constructor(shader: ShaderWriter, code: Code, walk: Walk, flat: string, label = '') {
    this.#shader = shader;
    this.#code = code;
    this.#walk = walk;
    this.#label = label;
    const at: string[] = [];
    let rest = flat;
    for (let axis = walk.shape.length - 1; axis > 0; axis--) {
      const size = shader.number(`${label}size${axis}`);
      const next = code.let('rest', `${rest} / ${size}`);
      at.unshift(code.let('at', `${rest} - ${next} * ${size}`));
      rest = next;
    }
    if (walk.shape.length > 0) at.unshift(rest);
    this.at = at;
  }

  /** The index of a tensor's element, from a place within it: where it begins if left out. */
  index(tensor: string, from = this.#shader.offset(tensor)): string {
    const terms = [from];
    this.#walk.strides[tensor]?.forEach((stride, axis) => {
      if (stride === 0) return;
      const at = this.at[axis] as string;
      terms.push(stride === 1 ? at : `${at} * ${this.#shader.number(`${this.#label}${tensor}/${axis}`)}`);
    });
    return this.#code.let('index', terms.join(' + '));
  }
}
