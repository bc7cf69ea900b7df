// Gradients at scores of 1e4, where float32 stores a level to no more than 5e-4. Scores are whole numbers and quarters, so
// that float32 holds each, and what is left is the rounding of sums.

import { type AttentionOptions, attention } from '@heed/attention';
import { cpu } from '@heed/cpu';
import { bias, causal } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { dot } from '@heed/scores';
import { add, type BackendPlugin, mul, openDevice, parameter, sum, type Tensor, tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../../../around/testing/src/random.ts';

const HEADS = 2;
const QUERIES = 70;
const KEYS = 210;
const FEATURES = 5;
/** Every key takes part in sums once for each query, and each term was rounded a few times. */
const ALLOWED = 4 * KEYS * 2 ** -24;

/** Rows whose products with each other are 1e4 and a few quarters. */
function rows(random: Random, length: number): Float64Array {
  return Float64Array.from({ length: HEADS * length * FEATURES }, (_, i) =>
    i % FEATURES === 0 ? 100 : random.integer(-2, 2) / 2,
  );
}

interface Case {
  readonly options: AttentionOptions;
  readonly wrt: readonly ('value' | 'bias' | 'sinks')[];
  readonly weights?: boolean;
}

const plain = { score: dot(), modifiers: [bias()], normalizer: softmax() };
const cases: Readonly<Record<string, Case>> = {
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

/** Gradients by name, with as many keys as `keys`. */
async function gradients(
  plugin: BackendPlugin,
  dtype: 'float32' | 'float64',
  { options, wrt, weights = false }: Case,
  keys: number,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const device = await openDevice(plugin);
  const random = new Random(7);
  const made = (numbers: Float64Array, shape: readonly number[]): Tensor =>
    tensor(device, dtype === 'float64' ? numbers : Float32Array.from(numbers), { shape });
  const drawn = (...shape: number[]): Tensor =>
    made(random.numbers(shape.reduce((a, b) => a * b, 1)).map(Math.fround), shape);
  const quarters = Float64Array.from({ length: HEADS * QUERIES * keys }, () => random.integer(-8, 8) / 4);
  const given: Record<string, Tensor> = {
    query: made(rows(random, QUERIES), [1, HEADS, QUERIES, FEATURES]),
    key: made(rows(random, keys), [1, HEADS, keys, FEATURES]),
    value: drawn(1, HEADS, keys, 9),
    bias: made(quarters, [1, HEADS, QUERIES, keys]),
    sinks: made(Float64Array.of(1e4, 10001), [HEADS]),
  };
  for (const name of wrt) given[name] = parameter(given[name] as Tensor);
  const { query, key, value, sinks } = given as Record<string, Tensor>;
  const attend = attention(options);
  const call = {
    inputs: { bias: given.bias as Tensor },
    params: wrt.includes('sinks') ? { sinks: sinks as Tensor } : {},
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
  await device.close();
  return Object.fromEntries(read) as Record<string, number[]>;
}

describe.each(Object.entries(cases))('gradients at large levels: %s', (_, kase) => {
  it.each([KEYS, 30, 1])('are as exact as at small ones, over %i keys', async (keys) => {
    const expected = await gradients(reference(), 'float64', kase, keys);
    const actual = await gradients(cpu({ threads: 1, poison: true }), 'float32', kase, keys);
    for (const name of kase.wrt) {
      const size = Math.max(1, ...(expected[name] as number[]).map(Math.abs));
      (expected[name] as number[]).forEach((one, i) => {
        expect(Math.abs(((actual[name] as number[])[i] as number) - one)).toBeLessThanOrEqual(ALLOWED * size);
      });
    }
  });
});
