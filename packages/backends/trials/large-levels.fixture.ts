// For tests: gradients at scores of 1e4, where float32 stores a level to no more than 5e-4. Scores are such that float32
// holds each, and what is left is the rounding of sums.

import { type AttentionOptions, attention } from '@heed/attention';
import { bias, causal } from '@heed/masks';
import { adaptiveEntmax, softmax, sparsemax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { dot } from '@heed/scores';
import {
  add,
  type BackendPlugin,
  type Device,
  mul,
  openDevice,
  parameter,
  sum,
  type Tensor,
  tensor,
} from '@heed/tensor';
import { expect } from 'vitest';
import { Random } from '../../around/testing/src/random.ts';

const HEADS = 2;
const QUERIES = 70;
const FEATURES = 5;
const LENGTHS = [210, 30, 1];
/** Every key takes part in sums once for each query, and each term was rounded a few times. */
const ALLOWED = 4 * Math.max(...LENGTHS) * 2 ** -24;

/** Rows whose products with each other are 1e4 and a few quarters. */
function rows(random: Random, length: number): Float64Array {
  return Float64Array.from({ length: HEADS * length * FEATURES }, (_, i) =>
    i % FEATURES === 0 ? 100 : random.integer(-2, 2) / 2,
  );
}

export interface LargeCase {
  readonly options: AttentionOptions;
  readonly wrt: readonly ('value' | 'bias' | 'sinks' | 'alphas')[];
  readonly weights?: boolean;
}

const plain = { score: dot(), modifiers: [bias()], normalizer: softmax() };

/** Levels by log-sum-exp. */
export const exponential: Readonly<Record<string, LargeCase>> = {
  'of the values alone': { options: plain, wrt: ['value'] },
  'by tiles': { options: plain, wrt: ['value', 'bias'] },
  'pair by pair': { options: plain, wrt: ['bias'] },
  'of weights': { options: plain, wrt: ['value', 'bias'], weights: true },
  'with empty rows': {
    options: { ...plain, mask: causal({ align: 'end' }) },
    wrt: ['value', 'bias'],
  },
  'with a sink': {
    options: { ...plain, normalizer: softmax({ sink: 'learned' }) },
    wrt: ['value', 'bias', 'sinks'],
  },
};

/** Levels by root. */
export const rooted: Readonly<Record<string, LargeCase>> = {
  sparsemax: {
    options: { ...plain, normalizer: sparsemax(), mask: causal({ align: 'end' }) },
    wrt: ['value', 'bias'],
  },
  'adaptive entmax': {
    options: { ...plain, normalizer: adaptiveEntmax() },
    wrt: ['value', 'bias', 'alphas'],
    weights: true,
  },
};

/** Gradients by name, with as many keys as `keys`. */
async function gradients(
  device: Device,
  dtype: 'float32' | 'float64',
  { options, wrt, weights = false }: LargeCase,
  keys: number,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const random = new Random(7);
  const made = (numbers: Float64Array, shape: readonly number[]): Tensor =>
    tensor(device, dtype === 'float64' ? numbers : Float32Array.from(numbers), { shape });
  const drawn = (...shape: number[]): Tensor =>
    made(random.numbers(shape.reduce((a, b) => a * b, 1)).map(Math.fround), shape);
  // In steps of float32 at 1e4: coarser ones would put scores on the edge of what sparsemax weighs.
  const biases = Float64Array.from(
    { length: HEADS * QUERIES * keys },
    () => random.integer(-2048, 2048) / 1024,
  );
  const given: Record<string, Tensor> = {
    query: made(rows(random, QUERIES), [1, HEADS, QUERIES, FEATURES]),
    key: made(rows(random, keys), [1, HEADS, keys, FEATURES]),
    value: drawn(1, HEADS, keys, 9),
    bias: made(biases, [1, HEADS, QUERIES, keys]),
    sinks: made(Float64Array.of(1e4, 10001), [HEADS]),
    alphas: made(Float64Array.of(-0.5, 1), [HEADS]),
  };
  for (const name of wrt) given[name] = parameter(given[name] as Tensor);
  const { query, key, value } = given as Record<string, Tensor>;
  const attend = attention(options);
  const params = (['sinks', 'alphas'] as const).filter((name) => wrt.includes(name));
  const call = {
    inputs: { bias: given.bias as Tensor },
    params: Object.fromEntries(params.map((name) => [name, given[name] as Tensor])),
  };
  const ofContext = drawn(1, HEADS, QUERIES, 9);
  const ofWeights = drawn(1, HEADS, QUERIES, keys);
  const found = attend(query as Tensor, key as Tensor, value as Tensor, { ...call, weights: true });
  const loss = sum(mul(found.context, ofContext));
  (weights ? add(loss, sum(mul(found.weights as Tensor, ofWeights))) : loss).backward();
  const read = await Promise.all(
    wrt.map(
      async (name) => [name, [...(await ((given[name] as Tensor).gradient as Tensor).read())]] as const,
    ),
  );
  return Object.fromEntries(read) as Record<string, number[]>;
}

/** Expects gradients that are as exact as they would be at small levels, over so many keys. */
export async function expectExact(
  plugin: BackendPlugin,
  kase: LargeCase,
  lengths: readonly number[] = LENGTHS,
): Promise<void> {
  const [device, oracle] = [await openDevice(plugin), await openDevice(reference())];
  for (const keys of lengths) {
    const expected = await gradients(oracle, 'float64', kase, keys);
    const actual = await gradients(device, 'float32', kase, keys);
    for (const name of kase.wrt) {
      const size = Math.max(1, ...(expected[name] as number[]).map(Math.abs));
      const far = (expected[name] as number[]).map((one, i) =>
        Math.abs(((actual[name] as number[])[i] as number) - one),
      );
      expect(Math.max(...far), `${name}, over ${keys} keys`).toBeLessThanOrEqual(ALLOWED * size);
    }
  }
  await device.close();
  await oracle.close();
}
