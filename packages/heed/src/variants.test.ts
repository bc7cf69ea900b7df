// Every layer by name where people compute by default: what comes out and what flows back, against the reference in float64.

import { cpu } from '@heed/cpu';
import type { Parameters } from '@heed/nn';
import { reference } from '@heed/reference';
import {
  add,
  type Device,
  type FloatDType,
  mul,
  openDevice,
  parameter,
  scope,
  sum,
  type Tensor,
  tensor,
  withoutGradients,
} from '@heed/tensor';
import { webgpu } from '@heed/webgpu';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Random } from '../../around/testing/src/random.ts';
import { type Data, exactly, largest, MULTIPLE, roundoff } from '../../around/testing/src/tolerance.ts';
import { swiftshader } from '../../backends/webgpu/src/adapters.fixture.ts';
import { defaultRegistry, layers, masks } from './index.ts';

vi.setConfig({ testTimeout: 120_000 });

type Rows = Readonly<Record<string, readonly number[]>>;
interface Sample {
  readonly make: (device: Device, given: { seed?: number; parameters?: Parameters }) => object;
  /** The tensors it is called with. */
  readonly rows: Rows;
  readonly call: (layer: never, rows: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
}

const sample = <L extends object, R extends Rows>(
  make: (device: Device, given: { seed?: number; parameters?: Parameters }) => L,
  rows: R,
  call: (layer: L, rows: Readonly<Record<keyof R, Tensor>>) => Readonly<Record<string, Tensor>>,
): Sample => ({ make, rows, call: call as unknown as Sample['call'] });

/** Small layers with what is their own switched on, by the names that the registry has. */
const samples: Readonly<Record<string, Sample>> = {
  additive: sample(
    (device, given) =>
      layers.additiveAttention(device, {
        ...{ queryWidth: 4, memoryWidth: 6, hidden: 5, coverage: true, normalized: true, start: 'glorot' },
        ...given,
      }),
    { state: [2, 4], memory: [2, 5, 6] },
    (layer, { state, memory }) => {
      const first = layer(state, memory, { weights: true });
      const { context } = layer(state, memory, { weights: true, coverage: first.coverage as Tensor });
      return { context, weights: first.weights };
    },
  ),
  'augmented-convolution': sample(
    (device, given) =>
      layers.augmentedConvolution(device, {
        ...{ in: 3, out: 6, attended: 4, heads: 2, size: 3, reach: 1 },
        ...given,
      }),
    { image: [2, 3, 4, 3] },
    (layer, { image }) => ({ output: layer(image) }),
  ),
  bidirectional: sample(
    (device, given) => layers.bidirectionalAttention(device, { width: 4, ...given }),
    { text: [2, 6, 4], question: [2, 3, 4] },
    (layer, { text, question }) => ({ output: layer(text, question) }),
  ),
  'co-attention': sample(
    (device, given) => layers.coAttention(device, { firstWidth: 4, secondWidth: 3, hidden: 5, ...given }),
    { regions: [2, 6, 4], words: [2, 3, 3] },
    (layer, { regions, words }) => {
      const { first, second } = layer(regions, words);
      return { first, second };
    },
  ),
  directional: sample(
    (device, given) => layers.directionalAttention(device, { width: 4, hidden: 3, ...given }),
    { words: [2, 5, 4] },
    (layer, { words }) => ({ output: layer(words) }),
  ),
  'feature-pooling': sample(
    (device, given) => layers.featurePooling(device, { width: 4, ...given }),
    { words: [2, 5, 4] },
    (layer, { words }) => ({ context: layer(words) }),
  ),
  image: sample(
    (device, given) => layers.imageAttention(device, { channels: 8, ...given }),
    { image: [1, 3, 4, 8] },
    (layer, { image }) => ({ output: layer(image) }),
  ),
  local: sample(
    (device, given) =>
      layers.localAttention(device, {
        ...{ kind: 'local-p', queryWidth: 4, memoryWidth: 6, window: 3, over: 'all' },
        ...given,
      }),
    { states: [2, 3, 4], memory: [2, 7, 6] },
    (layer, { states, memory }) => ({ context: layer(states, memory) }),
  ),
  'multi-head': sample(
    (device, given) =>
      layers.multiHead(device, {
        ...{ width: 8, heads: 4, keyHeads: 2, relativeValues: 3, queryKeyNorm: 'rms', learnedKey: true },
        rotary: layers.rotary({
          layout: 'halves',
          scaling: { by: 'yarn', factor: 2, length: 32 },
        }),
        mask: masks.causal({ align: 'end' }),
        ...given,
      }),
    { words: [2, 5, 8] },
    (layer, { words }) => ({ output: layer(words) }),
  ),
  multiplicative: sample(
    (device, given) =>
      layers.multiplicativeAttention(device, { queryWidth: 4, memoryWidth: 6, scale: true, ...given }),
    { states: [2, 3, 4], memory: [2, 5, 6] },
    (layer, { states, memory }) => ({ output: layer(states, memory) }),
  ),
  neighborhood: sample(
    (device, given) => layers.neighborhoodAttention(device, { channels: 4, heads: 2, size: 3, ...given }),
    { image: [1, 4, 5, 4] },
    (layer, { image }) => ({ output: layer(image) }),
  ),
  pooling: sample(
    (device, given) => layers.attentionPooling(device, { width: 4, hidden: 3, queries: 2, ...given }),
    { words: [2, 5, 4] },
    (layer, { words }) => ({ context: layer(words) }),
  ),
  self: sample(
    (device, given) => layers.selfAttention(device, { width: 4, hidden: 3, ...given }),
    { words: [2, 5, 4] },
    (layer, { words }) => ({ context: layer(words) }),
  ),
};

/** The longest sum on the way to one number: 27 products of a filter, or a few in a row. */
const LONGEST = 64;

const [host, device] = [await openDevice(reference()), await openDevice(cpu({ threads: 2, poison: true }))];
afterAll(async () => {
  await host.close();
  await device.close();
});

const numbers = async (of: Tensor) => Float64Array.from(await of.read());
const sizeOf = (shape: readonly number[]) => shape.reduce((all, one) => all * one, 1);

/** What comes out, and the gradients of its sum in a fixed direction by everything. */
async function computed(
  { make, rows, call }: Sample,
  on: Device,
  dtype: FloatDType,
  shapes: Rows,
  data: Data,
): Promise<Data> {
  const leaf = (name: string) =>
    parameter(tensor(on, data[name] as Float64Array, { shape: shapes[name] as number[], dtype }));
  const inputs = Object.fromEntries(Object.keys(rows).map((name) => [name, leaf(name)]));
  const paths = Object.keys(shapes).filter((name) => !Object.hasOwn(rows, name));
  const parameters = Object.fromEntries(paths.map((name) => [name, leaf(name)]));
  const results = call(make(on, { parameters }) as never, inputs);
  const out: Record<string, Float64Array<ArrayBuffer>> = {};
  for (const [name, one] of Object.entries(results)) out[`out ${name}`] = await numbers(one);
  const random = new Random(7);
  scope(on, () => {
    const parts = Object.values(results).map((one) => {
      const direction = random.numbers(sizeOf(one.shape));
      return sum(mul(one, tensor(on, direction, { shape: one.shape, dtype })));
    });
    parts.reduce((all, part) => add(all, part)).backward();
  });
  for (const [name, one] of Object.entries({ ...inputs, ...parameters }))
    out[`gradient ${name}`] = one.gradient ? await numbers(one.gradient) : new Float64Array(0);
  return out;
}

describe('every layer by name on the cpu', () => {
  it('has a sample', () => {
    expect(Object.keys(samples)).toEqual(defaultRegistry.variants.map(({ name }) => name).sort());
  });

  for (const [name, one] of Object.entries(samples)) {
    it(name, async () => {
      const fresh = one.make(host, { seed: 1 }) as { readonly parameters: Parameters };
      const random = new Random(1);
      const data: Record<string, Float64Array<ArrayBuffer>> = {};
      const shapes: Record<string, readonly number[]> = {};
      // Away from what starts at nothing: a gate that is closed shows nothing of what lies behind it.
      for (const [path, { shape }] of Object.entries(fresh.parameters)) shapes[path] = shape;
      for (const [path, shape] of Object.entries(one.rows)) shapes[path] = shape;
      for (const [path, shape] of Object.entries(shapes))
        data[path] = random.numbers(sizeOf(shape)).map(Math.fround);
      const exact = await exactly((inputs) => computed(one, host, 'float64', shapes, inputs), data, {
        dtype: 'float32',
        roundings: LONGEST,
        floats: Object.keys(data),
        // Shifting all scores of a row changes no softmax: some gradients are sums that cancel to nothing.
        together: true,
        random,
      });
      const got = await computed(one, device, 'float32', shapes, data);
      for (const [what, wanted] of Object.entries(exact.values)) {
        expect(
          wanted.some((number) => number !== 0),
          what,
        ).toBe(true);
        const off = wanted.map((number, i) => Math.abs(number - (got[what]?.[i] as number)));
        expect(Math.max(...off), what).toBeLessThanOrEqual(exact.allowed[what] as number);
      }
    });
  }
});

// They are written in place, piece by piece: the one thing of layers that no other program does.
it('pages hold on every backend what they hold on the reference', async () => {
  const read = async (on: Device) => {
    const layer = layers.multiHead(on, {
      ...{ width: 8, heads: 2, seed: 1 },
      mask: [masks.padding(), masks.causal({ align: 'lengths' })],
    });
    const rows = (seed: number, ...shape: number[]) => {
      const numbers = Float32Array.from(new Random(seed).numbers(sizeOf(shape)));
      return tensor(on, numbers, { shape });
    };
    const pool = layers.pagePool(on, { pages: 12, page: 3, heads: 2, width: 4 });
    return withoutGradients(on, () => {
      const long = layer(rows(1, 1, 5, 8), { cache: pool.start(1) }).cache;
      const short = layer(rows(2, 1, 2, 8), { cache: pool.start(1) }).cache;
      const both = layer(rows(3, 2, 1, 8), { cache: pool.join([long, short]) }).cache;
      return layer(rows(4, 3, 2, 8), { cache: both.select([1, 0, 1]) }).output;
    }).read();
  };
  const wanted = await read(host);
  expect(wanted.length).toBe(3 * 2 * 8);
  const allowed = MULTIPLE * LONGEST * 2 * roundoff.float32 * largest(wanted);
  const gpu = await openDevice(webgpu({ ...swiftshader(), poison: true }));
  for (const on of [device, gpu]) {
    const got = await read(on);
    const off = wanted.map((one, i) => Math.abs(one - (got[i] as number)));
    expect(Math.max(...off), on.name).toBeLessThanOrEqual(allowed);
  }
  await gpu.close();
});
