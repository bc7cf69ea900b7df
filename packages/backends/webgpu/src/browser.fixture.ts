// For tests, in a browser's page: an attention forward and backward on webgpu() and on the reference, told to whoever serves it.

import { attention } from '@heed/attention';
import { causal } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { additive } from '@heed/scores';
import { type BackendPlugin, normal, openDevice, parameter, sum, type Tensor } from '@heed/tensor';
import { webgpu } from './index.ts';

/** Results by name. */
export type Found = Readonly<Record<string, readonly number[]>>;

export type Told = { readonly mine: Found; readonly right: Found } | { readonly error: string };

async function attendOn(backend: BackendPlugin): Promise<Found> {
  const device = await openDevice(backend);
  let seed = 0;
  const some = (...shape: number[]): Tensor =>
    parameter(normal(device, shape, { seed: ++seed, dtype: 'float32' }));
  const [query, key, value] = [some(2, 2, 9, 4), some(2, 1, 12, 4), some(2, 1, 12, 5)];
  const params = { w: some(6, 4), u: some(6, 4), v: some(6) };
  const attend = attention({
    score: additive({ hidden: 6 }),
    mask: causal({ align: 'end' }),
    normalizer: softmax(),
  });
  const { context, weights } = attend(query, key, value, { params, weights: true });
  sum(context).backward();
  const all = { context, weights, key: key.gradient, value: value.gradient, w: params.w.gradient };
  const found: Record<string, readonly number[]> = {};
  for (const [name, one] of Object.entries(all)) found[name] = [...(await (one as Tensor).read())];
  await device.close();
  return found;
}

const tell = (told: Told): Promise<unknown> => fetch('/told', { method: 'POST', body: JSON.stringify(told) });

Promise.all([attendOn(webgpu()), attendOn(reference())]).then(
  ([mine, right]) => tell({ mine, right }),
  (problem: Error) => tell({ error: `${problem.stack ?? problem}` }),
);
