// Alignments that move forward: each step begins where the one before ended.

import {
  add,
  argmax,
  cast,
  concat,
  div,
  exp,
  gt,
  matmul,
  maximum,
  minimum,
  mul,
  oneHot,
  pad,
  sigmoid,
  stack,
  sub,
  type Tensor,
  tensor,
} from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';

export const monotonic: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.oneOf('initial_alignment', ['one-hot at 0']);
  const mode = attributes.choice('mode', ['soft', 'hard', 'mocha']);
  const energies = inputs.tensor('energies');
  const value = inputs.tensor('value');
  const alignments = align(
    energies,
    mode === 'hard' ? hardStep(work, energies) : (row, before) => softStep(sigmoid(row), before),
  );
  if (mode !== 'mocha') return { alignments, context: matmul(alignments, value) };
  const weights = chunks(alignments, inputs.tensor('chunk_energies'), attributes.needed('chunk'));
  return { alignments, chunk_weights: weights, context: matmul(weights, value) };
};

/** One query's alignment [batch, key] from its energies and the alignment before. */
type Step = (energies: Tensor, before: Tensor) => Tensor;

/** Runs the recursion over queries, from an alignment that is one at the first key. */
function align(energies: Tensor, step: Step): Tensor {
  const [batch, queries, keys] = energies.shape as [number, number, number];
  const first = tensor(energies.device, new Int32Array(batch), { dtype: 'int32', shape: [batch] });
  let before: Tensor = oneHot(first, keys, { dtype: energies.dtype });
  const rows: Tensor[] = [];
  for (let i = 0; i < queries; i++) {
    before = step(energies.slice(1, i, i + 1).squeeze(1), before);
    rows.push(before);
  }
  return stack(rows, { axis: 1 });
}

/** q_j = (1 - p_(j-1)) q_(j-1) + before_j; a_j = p_j q_j. Raffel et al. 2017 (arXiv 1704.00784), equation 9. */
export function softStep(p: Tensor, before: Tensor): Tensor {
  const keys = p.shape[1] as number;
  const at = (of: Tensor, j: number): Tensor => of.slice(1, j, j + 1);
  const reached: Tensor[] = [at(before, 0)];
  for (let j = 1; j < keys; j++) {
    const passed = mul(sub(1, at(p, j - 1)), reached[j - 1] as Tensor);
    reached.push(add(passed, at(before, j)));
  }
  return mul(p, concat(reached, { axis: 1 }));
}

/**
 * The closed form of the same: p cp cumsum(before / clip(cp, 1e-10, 1)) with cp the product of (1 - p) before each key. It
 * differs from the recursion where cp is small, which is what TensorFlow Addons' "parallel" gives.
 */
export function parallelStep(p: Tensor, before: Tensor): Tensor {
  const keys = p.shape[1] as number;
  const at = (of: Tensor, j: number): Tensor => of.slice(1, j, j + 1);
  const left: Tensor[] = [add(mul(at(p, 0), 0), 1)];
  for (let j = 1; j < keys; j++) left.push(mul(left[j - 1] as Tensor, sub(1, at(p, j - 1))));
  const sums: Tensor[] = [];
  for (const [j, one] of left.entries()) {
    const share = div(at(before, j), minimum(maximum(one, 1e-10), 1));
    sums.push(j === 0 ? share : add(sums[j - 1] as Tensor, share));
  }
  return mul(mul(p, concat(left, { axis: 1 })), concat(sums, { axis: 1 }));
}

/** From the position before on, the first key with a positive energy; none, and nothing is aligned from then on. */
const hardStep =
  ({ device }: Work, energies: Tensor): Step =>
  (row, before) => {
    const keys = energies.shape[2] as number;
    // [from, to]: one where to is not before from, so that a product tells which keys are still ahead.
    const ahead = Float32Array.from({ length: keys * keys }, (_, at) =>
      Number(at % keys >= Math.floor(at / keys)),
    );
    const later = tensor(device, ahead, { dtype: energies.dtype, shape: [keys, keys] });
    const open = mul(matmul(before, later), cast(gt(row, 0), energies.dtype));
    const found = oneHot(argmax(open, { axis: 1 }), keys, { dtype: energies.dtype });
    return mul(found, open);
  };

/** Chiu and Raffel 2018 (arXiv 1712.05382): a softmax over the `width` keys up to each aligned one. */
function chunks(alignments: Tensor, energies: Tensor, width: number): Tensor {
  if (!(width >= 1)) return unsupported(`a chunk of ${width} keys`);
  const u = exp(energies);
  const keys = u.shape[2] as number;
  const moved = (of: Tensor, by: number): Tensor =>
    pad(of, [
      [0, 0],
      [0, 0],
      [Math.max(by, 0), Math.max(-by, 0)],
    ]).slice(2, Math.max(-by, 0), Math.max(-by, 0) + keys);
  const over = Array.from({ length: width }, (_, n) => n);
  const total = over.map((n) => moved(u, n)).reduce((a, b) => add(a, b));
  const share = div(alignments, total);
  return mul(
    u,
    over.map((n) => moved(share, -n)).reduce((a, b) => add(a, b)),
  );
}
