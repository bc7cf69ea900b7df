// Checking gradients by differences: what backward() gives against what the function does.

import { type Device, mul, parameter, scope, sum, type Tensor, tensor } from '@heed/tensor';
import { coordinates, LawError } from './assert.ts';
import { Random } from './random.ts';

/** A function of named tensors. Its result may have any shape; it is checked in a fixed random direction. */
export type Checked = (inputs: Readonly<Record<string, Tensor>>) => Tensor;

export interface GradientCheckOptions {
  /** How many elements of each input are checked; all if it has no more. 32 if left out. */
  readonly sample?: number;
  /** The step of the differences, relative to 1 or the element's magnitude. */
  readonly step?: number;
  /** Decides the direction of the result and the elements sampled. */
  readonly seed?: number;
}

/** One element's gradient, both ways. */
export interface GradientElement {
  readonly input: string;
  readonly index: readonly number[];
  /** What backward() gave. */
  readonly backward: number;
  /** What central differences give. */
  readonly differences: number;
  readonly error: number;
  /** The error that the differences themselves may have. */
  readonly allowed: number;
}

export interface GradientReport {
  /** The element whose error is the largest share of what is allowed. */
  readonly worst: GradientElement;
  readonly checked: number;
}

/** The error of differences is estimated from two steps; what the estimate misses is within this factor. */
const MULTIPLE = 8;
const EPSILON = 2 ** -52;

/**
 * Compares gradients with central differences in float64.
 *
 * Differences with steps h and h / 2 are combined (Richardson), and their disagreement says how much they can be
 * trusted: that, and the rounding of the function's value over h, is the error allowed.
 *
 * @param inputs float64 tensors by name, on one device.
 * @returns the worst element.
 * @throws LawError that names the worst element by input and index.
 */
export async function gradientCheck(
  f: Checked,
  inputs: Readonly<Record<string, Tensor>>,
  options: GradientCheckOptions = {},
): Promise<GradientReport> {
  const { sample = 32, step = 2 ** -15, seed = 1 } = options;
  const names = Object.keys(inputs);
  const [first] = Object.values(inputs);
  if (!first) throw new LawError('gradientCheck: expected at least one input to differentiate by');
  for (const [name, one] of Object.entries(inputs)) {
    if (one.dtype !== 'float64') {
      throw new LawError(
        `gradientCheck: "${name}" must be float64, in which differences have digits left; got ${one}`,
      );
    }
  }
  const { device } = first;
  const random = new Random(seed);
  const data = new Map<string, Float64Array>();
  for (const [name, one] of Object.entries(inputs)) data.set(name, (await one.read()) as Float64Array);

  const shape = scope(device, () => [...f(inputs).shape]);
  const direction = random.numbers(shape.reduce((all, one) => all * one, 1));
  const directed = (result: Tensor): Tensor =>
    sum(mul(result, tensor(device, direction, { dtype: 'float64', shape })));
  const evaluate = async (changed: string, values: Float64Array): Promise<number> => {
    const value = scope(device, () => {
      const own = tensor(device, values, { dtype: 'float64', shape: [...(inputs[changed] as Tensor).shape] });
      return directed(f({ ...inputs, [changed]: own })).detach();
    });
    try {
      return (await value.item()) as number;
    } finally {
      value.dispose();
    }
  };
  const gradients = await backward(device, inputs, data, f, directed);

  let worst: GradientElement | null = null;
  let checked = 0;
  for (const name of names) {
    const values = data.get(name) as Float64Array;
    const order = random.permutation(values.length).slice(0, sample);
    for (const flat of order) {
      const found = await differences((moved) => evaluate(name, moved), values, flat, step);
      const got = (gradients.get(name) as Float64Array)[flat] as number;
      const index = indexOf(flat, (inputs[name] as Tensor).shape);
      const error = Math.abs(got - found.value);
      const one = {
        input: name,
        index,
        backward: got,
        differences: found.value,
        error,
        allowed: found.allowed,
      };
      checked++;
      if (!worst || !(share(one) <= share(worst))) worst = one;
    }
  }
  if (!worst) throw new LawError('gradientCheck: the inputs have no elements to check');
  if (!(worst.error <= worst.allowed)) throw new LawError(message(worst));
  return { worst, checked };
}

const share = ({ error, allowed }: GradientElement): number => error / allowed;

const indexOf = (flat: number, shape: readonly number[]): number[] =>
  shape.length === 0 ? [] : (JSON.parse(coordinates(flat, shape)) as number[]);

const message = ({
  input,
  index,
  backward: got,
  differences: found,
  error,
  allowed,
}: GradientElement): string =>
  `gradient of ${input}[${index.join(', ')}]: backward() gave ${got}, central differences give ${found}: ` +
  `off by ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`;

async function backward(
  device: Device,
  inputs: Readonly<Record<string, Tensor>>,
  data: ReadonlyMap<string, Float64Array>,
  f: Checked,
  directed: (result: Tensor) => Tensor,
): Promise<ReadonlyMap<string, Float64Array>> {
  const leaves = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [
      name,
      parameter(tensor(device, data.get(name) as Float64Array, { dtype: 'float64', shape: [...shape] })),
    ]),
  );
  const found = new Map<string, Float64Array>();
  try {
    scope(device, () => {
      const value = directed(f(leaves));
      if (value.tracked) value.backward();
    });
    for (const [name, leaf] of Object.entries(leaves)) {
      const given = leaf.gradient;
      found.set(name, given ? ((await given.read()) as Float64Array) : new Float64Array(leaf.size));
    }
    return found;
  } finally {
    for (const leaf of Object.values(leaves)) leaf.dispose();
  }
}

async function differences(
  f: (values: Float64Array) => Promise<number>,
  values: Float64Array,
  at: number,
  step: number,
): Promise<{ readonly value: number; readonly allowed: number }> {
  const x = values[at] as number;
  const scale = Math.max(1, Math.abs(x));
  const moved = values.slice();
  const along = async (h: number): Promise<{ slope: number; size: number }> => {
    moved[at] = x + h;
    const above = await f(moved);
    moved[at] = x - h;
    const below = await f(moved);
    // What was really added: x + h is rounded.
    const width = x + h - (x - h);
    return { slope: (above - below) / width, size: Math.abs(above) + Math.abs(below) };
  };
  const wide = await along(step * scale);
  const narrow = await along((step * scale) / 2);
  // The error of a central difference falls with h²: what both have in common is removed.
  const value = (4 * narrow.slope - wide.slope) / 3;
  // Near a kink the two differ by as much as either is wrong.
  const trust = Math.abs(narrow.slope - wide.slope);
  const rounding = (4 * EPSILON * (narrow.size + 1)) / (step * scale);
  return { value, allowed: MULTIPLE * (trust + rounding) };
}
