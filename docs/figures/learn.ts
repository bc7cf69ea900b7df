// Training for figures: a few steps of Adam on the reference, in float64, so that the pictures are the same everywhere.

import { type Device, gradients, type Tensor, tensor } from '../../packages/heed/src/index.ts';

export type Values = Readonly<Record<string, Tensor>>;

/**
 * Adam (Kingma, Ba 2015, arXiv 1412.6980) with its usual constants.
 *
 * @param start what is trained, float64.
 * @param after steps after which the values are wanted, from fewest to most.
 * @returns the values after each of these.
 */
export async function learn(
  device: Device,
  start: Values,
  loss: (values: Values) => Tensor,
  { after, rate = 0.03 }: { readonly after: readonly number[]; readonly rate?: number },
): Promise<readonly Values[]> {
  const names = Object.keys(start);
  const shapes = names.map((name) => (start[name] as Tensor).shape);
  const numbers = await Promise.all(names.map(async (name) => Float64Array.from(await start[name]!.read())));
  const [mean, square] = [0, 1].map(() => numbers.map((one) => new Float64Array(one.length))) as [
    Float64Array[],
    Float64Array[],
  ];
  const tensors = () =>
    numbers.map((one, i) => tensor(device, one.slice(), { shape: [...shapes[i]!], dtype: 'float64' }));
  const named = (all: readonly Tensor[]): Values =>
    Object.fromEntries(names.map((name, i) => [name, all[i] as Tensor]));
  const kept: Values[] = [];
  const slope = gradients((...all: Tensor[]) => loss(named(all)));
  for (let step = 0; ; step++) {
    if (after.includes(step)) kept.push(named(tensors()));
    if (step >= Math.max(...after)) return kept;
    const { gradients: found } = slope(...tensors());
    for (const [i, gradient] of found.entries()) {
      for (const [at, one] of (await gradient.read()).entries()) {
        mean[i]![at] = 0.9 * mean[i]![at]! + 0.1 * one;
        square[i]![at] = 0.999 * square[i]![at]! + 0.001 * one * one;
        const [first, second] = [
          mean[i]![at]! / (1 - 0.9 ** (step + 1)),
          square[i]![at]! / (1 - 0.999 ** (step + 1)),
        ];
        numbers[i]![at] = numbers[i]![at]! - (rate * first) / (Math.sqrt(second) + 1e-8);
      }
    }
  }
}

/** A sentence of one language and of another, and which word of the first each of the second comes from. */
export const sentence = {
  from: ['she', 'reads', 'the', 'old', 'blue', 'book', 'at', 'home'],
  to: ['elle', 'lit', 'le', 'vieux', 'livre', 'bleu', 'chez', 'elle'],
  origins: [0, 1, 2, 3, 5, 4, 6, 7],
} as const;
