// Gradients of a function, for those who would rather not mark parameters.

import { zeros } from '../create.ts';
import { DTypeError, GradientError } from '../errors.ts';
import { isFloat } from '../promote.ts';
import { Scope } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { play, seedOf } from './backward.ts';
import { track } from './parameter.ts';

/** A value and its gradients with respect to each argument, in their order. */
export interface ValueAndGradients<Value extends Tensor, Inputs extends readonly Tensor[]> {
  readonly value: Value;
  readonly gradients: { readonly [K in keyof Inputs]: Inputs[K] };
}

/**
 * The function that computes `f` and its gradients with respect to all arguments: `gradients(f)(a, b)`. `f` returns a
 * tensor of one element. Parameters that `f` closes over receive nothing; everything made on the way is disposed.
 *
 * @throws DTypeError for arguments that are not floats (close over them instead); GradientError for tracked arguments:
 *   gradients of gradients are not available.
 */
export function gradients<const Inputs extends readonly Tensor[], Value extends Tensor>(
  f: (...inputs: Inputs) => Value,
): (...inputs: Inputs) => ValueAndGradients<Value, Inputs> {
  const where = 'gradients';
  return (...inputs) => {
    const first = inputs[0];
    if (!first) throw new GradientError(`${where}: expected at least one argument to differentiate by.`);
    for (const [i, input] of inputs.entries()) check(where, i, input);
    const { device } = first;
    const work = new Scope(device);
    const recording = device.current.recording;
    device.current.recording = true;
    try {
      const leaves = inputs.map((input) => track(input.detach()));
      const result = f(...(leaves as unknown as Inputs));
      const value = result.detach() as Value;
      if (!result.tracked) return work.keep({ value, gradients: inputs.map(zeroLike) as never });
      const found = play(
        where,
        result,
        seedOf(where, result, null),
        false,
        new Set(leaves.map(({ life }) => life)),
      );
      const each = leaves.map((leaf) => {
        const gradient = found.get(leaf.life);
        if (!gradient) return zeroLike(leaf);
        work.adopt(gradient.life);
        return gradient;
      });
      return work.keep({ value, gradients: each as never });
    } finally {
      device.current.recording = recording;
      work.close();
    }
  };
}

const zeroLike = (tensor: Tensor): Tensor => zeros(tensor.device, tensor.shape, { dtype: tensor.dtype });

function check(where: string, at: number, input: Tensor): void {
  input.use(where);
  if (!isFloat(input.dtype)) {
    throw new DTypeError(
      `${where}: expected floats to differentiate by, got ${input} as argument ${at + 1}. Let the function close over it instead.`,
    );
  }
  if (input.tracked) {
    throw new GradientError(
      `${where}: argument ${at + 1} is tracked already, and gradients of gradients are not available. Pass tensor.detach(), or ` +
        'use backward() and read its gradient.',
    );
  }
}
