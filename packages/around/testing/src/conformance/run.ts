// Runs one case: the family's outputs, then gradients from the upstream gradients given, then the comparison.

import { add, BackendError, type Device, mul, openScope, sum, type Tensor, tensor } from '@heed/tensor';
import { Attributes, Unsupported } from './attributes.ts';
import { type Case, ConformanceDataError } from './case.ts';
import { compare, type Mismatch } from './compare.ts';
import { decodeExpected, type Files, type Numbers, sizeOf } from './decode.ts';
import { type Family, Inputs, type Outputs } from './family.ts';

export type Outcome =
  | { readonly status: 'passed' }
  | { readonly status: 'failed'; readonly mismatches: readonly Mismatch[]; readonly error: Error | null }
  | { readonly status: 'unsupported'; readonly reason: string };

export interface RunOptions {
  readonly families: Readonly<Record<string, Family>>;
  /** Multiplies every tolerance: 10 suits a GPU whose exp is a few ulp off. */
  readonly toleranceFactor?: number;
}

/** Runs a case on a device. All it made is disposed. */
export async function runCase(of: Case, files: Files, device: Device, options: RunOptions): Promise<Outcome> {
  const family = Object.hasOwn(options.families, of.family) ? options.families[of.family] : undefined;
  if (!family) return { status: 'unsupported', reason: `no runner for the family "${of.family}"` };
  const attributes = new Attributes(of.attributes);
  const inputs = new Inputs(of, device, files);
  const work = openScope(device);
  try {
    const wants = (output: string): boolean => Object.hasOwn(of.expected, output);
    const shapeOf = (output: string): readonly number[] => of.expected[output]?.shape ?? [];
    const outputs = family({ device, attributes, inputs, wants, shapeOf });
    const missing = Object.keys(of.expected).filter((name) => !isGradient(of, name) && !outputs[name]);
    if (missing.length > 0)
      return { status: 'unsupported', reason: `the runner gives no ${missing.join(', ')}` };
    const results: Outputs = { ...outputs, ...backward(of, files, device, inputs, outputs) };
    const mismatches = await mismatchesOf(of, files, results, options.toleranceFactor ?? 1);
    if (mismatches.length === 0) return { status: 'passed' };
    const unread = [...attributes.unread, ...inputs.unread];
    // An option without effect on the numbers is no option; one that has an effect must have been read.
    if (unread.length > 0)
      return { status: 'unsupported', reason: `the runner does not know ${unread.join(', ')}` };
    return { status: 'failed', mismatches, error: null };
  } catch (problem) {
    // Data that cannot be read says nothing about heed.
    if (problem instanceof ConformanceDataError) throw problem;
    if (problem instanceof Unsupported) return { status: 'unsupported', reason: problem.message };
    if (problem instanceof BackendError && problem.code === 'BACKEND') {
      return { status: 'unsupported', reason: problem.message };
    }
    return { status: 'failed', mismatches: [], error: problem as Error };
  } finally {
    work.close();
  }
}

const isGradient = (of: Case, name: string): boolean =>
  name.startsWith('grad_') && Object.hasOwn(of.inputs, name.slice('grad_'.length));

/** dL/d input for L = sum of output * upstream gradient. */
function backward(of: Case, _files: Files, device: Device, inputs: Inputs, outputs: Outputs): Outputs {
  const wanted = Object.keys(of.expected).filter((name) => isGradient(of, name));
  if (wanted.length === 0) return {};
  const leaves = wanted.map((name) => [name, inputs.tensor(name.slice('grad_'.length))] as const);
  const upstream = Object.entries(outputs).filter(([name]) => inputs.has(`grad_${name}`));
  const losses = upstream.map(([name, output]) => sum(mul(output, inputs.tensor(`grad_${name}`))));
  const [first, ...others] = losses;
  if (!first) throw new Unsupported('gradients are expected, but no upstream gradient matches an output');
  const loss = others.reduce((total, one) => add(total, one), first);
  if (loss.tracked) loss.backward();
  const zero = (leaf: Tensor): Tensor =>
    tensor(device, new Float64Array(sizeOf(leaf.shape)), { dtype: leaf.dtype, shape: leaf.shape });
  return Object.fromEntries(leaves.map(([name, leaf]) => [name, leaf.gradient ?? zero(leaf)]));
}

async function mismatchesOf(
  of: Case,
  files: Files,
  results: Outputs,
  factor: number,
): Promise<readonly Mismatch[]> {
  const found: Mismatch[] = [];
  for (const [name, expected] of Object.entries(of.expected)) {
    const result = results[name] as Tensor;
    if (
      result.shape.length !== expected.shape.length ||
      result.shape.some((size, i) => size !== expected.shape[i])
    ) {
      throw new Error(`${name}: expected the shape [${expected.shape}], got [${result.shape}]`);
    }
    const actual = (await result.read()) as Numbers;
    const reference = decodeExpected(of, name, files);
    const mismatch = compare(
      name,
      expected.shape,
      actual,
      reference,
      expected.tolerance ?? of.tolerance,
      factor,
    );
    if (mismatch) found.push(mismatch);
  }
  return found;
}
