// Laws about the machine: what fresh memory holds, what is given back, faults, the end.

import { type AttentionOptions, attention, compose } from '@heed/attention';
import {
  add,
  type BackendPlugin,
  createDevice,
  type Device,
  dtypes,
  gather,
  matmul,
  mul,
  openScope,
  parameter,
  scatterAdd,
  scope,
  softmax,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@heed/tensor';
import { ensure, ensureSame, LawError } from '../../assert.ts';
import { Random } from '../../random.ts';
import { draw } from '../../scene/scene.ts';
import type { Law } from '../law.ts';
import { wrap } from '../modifier.ts';
import type { Settings } from '../options.ts';
import { plainDot, plainSoftmax } from '../plain.ts';
import { callOf, type Floats, floatsOn, numbers, onDevice, placeAll } from '../stand.ts';
import { drawn, isFloat, placed } from './attempt.ts';

const options: AttentionOptions = { score: plainDot(), normalizer: plainSoftmax() };

/** A little of everything: zeros, products, sums, a softmax, attention and its gradient. */
async function work(device: Device, floats: Floats): Promise<Float64Array> {
  const inside = openScope(device);
  try {
    const spec = compose(options, false);
    const random = new Random(5);
    const scene = draw(spec, { batch: 2, head: 2, keyHead: 1, query: 5, key: 9 }, random, {
      sizes: { feature: 3 },
    });
    const tensors = placeAll(device, scene.fields, floats);
    for (const name of ['q', 'k', 'value']) parameter(tensors[name] as Tensor);
    const { rows, call } = callOf(spec, tensors, scene.uniforms);
    const { context, weights } = attention(options)(...rows, { ...call, weights: true });
    const mixed = softmax(matmul(context, context, { transposeB: true }));
    sum(add(sum(mul(mixed, 0.5)), sum(weights.slice(2, 0, 1)))).backward();
    const all = [
      zeros(device, [3]),
      context,
      weights,
      mixed,
      ...rows.map(({ gradient }) => gradient as Tensor),
    ];
    const found: number[] = [];
    for (const one of all) found.push(...(await numbers(one)));
    return Float64Array.from(found);
  } finally {
    inside.close();
  }
}

/** Memory as a hostile allocator gives it. */
const dirty = async (plugin: BackendPlugin, byte: number): Promise<Device> => {
  const inner = await plugin.open();
  return createDevice(
    wrap(inner, {
      allocate: (bytes) => {
        const allocation = inner.allocate(bytes);
        inner.write(allocation, new Uint8Array(allocation.bytes).fill(byte));
        return allocation;
      },
    }),
  );
};

/** @param job what is done again and again while memory is watched. */
export const machineLaws = ({ backend }: Settings, job = work): Law[] => [
  {
    name: 'results do not depend on what freshly allocated memory holds',
    check: async () => {
      const results: Float64Array[] = [];
      for (const byte of [0, 0xff, 0x3f]) {
        const device = await dirty(backend, byte);
        results.push(await job(device, floatsOn(device)));
        await device.close();
      }
      const [clean, ...others] = results as [Float64Array, ...Float64Array[]];
      for (const other of others)
        ensureSame(other, clean, 'results in memory that was not zero', [clean.length]);
    },
  },
  {
    name: 'live buffers return to where they were, and what was allocated is freed',
    check: async () => {
      const inner = await backend.open();
      let held = 0;
      const device = createDevice(
        wrap(inner, {
          allocate: (bytes) => {
            held++;
            return inner.allocate(bytes);
          },
          free: (allocation) => {
            held--;
            inner.free(allocation);
          },
        }),
      );
      await job(device, floatsOn(device));
      const before = { ...device.live, held };
      for (let n = 0; n < 3; n++) await job(device, floatsOn(device));
      const after = { ...device.live, held };
      await device.close();
      ensure(
        JSON.stringify(after) === JSON.stringify(before),
        () => `before ${JSON.stringify(before)}, after the same work thrice ${JSON.stringify(after)}`,
      );
      ensure(before.buffers === 0, () => `${before.buffers} buffers are alive after their scope was closed`);
    },
  },
  ...(['gather', 'scatter-add'] as const).map(
    (kind): Law => ({
      name: `an index out of range is a fault of ${kind} that the next read raises, once`,
      check: () =>
        onDevice(backend, async (device) => {
          for (const bad of [3, -1, 2 ** 30]) {
            const data = tensor(device, [1, 2, 3], { dtype: 'float32' });
            const index = tensor(device, [0, bad], { dtype: 'int32' });
            const out =
              kind === 'gather'
                ? gather(data, index, { axis: 0 })
                : scatterAdd(data, index, tensor(device, [10, 20]), { axis: 0 });
            const problem = await out.read().then(
              () => null,
              (error: unknown) => error as Error,
            );
            ensure(problem !== null, `reading after the index ${bad} of 3 did not reject`);
            ensure(
              problem.message.includes(String(bad)),
              () => `the fault does not name the index ${bad}: ${problem.message}`,
            );
            const again = await numbers(out);
            const right = kind === 'gather' ? [1, 0] : [11, 2, 3];
            ensureSame(again, right, `what is left after the index ${bad}`, [right.length]);
          }
        }),
    }),
  ),
  {
    name: 'work is done in the order in which it was enqueued',
    check: () =>
      onDevice(backend, async (device) => {
        let value = tensor(device, [1], { dtype: 'float32' }) as Tensor;
        for (let n = 0; n < 40; n++) value = scope(device, () => add(mul(value, n % 2 === 0 ? 2 : 0.5), 1));
        let expected = 1;
        for (let n = 0; n < 40; n++)
          expected = Math.fround(Math.fround(expected * (n % 2 === 0 ? 2 : 0.5)) + 1);
        ensureSame(await numbers(value), [expected], 'forty steps', [1]);
      }),
  },
  {
    name: 'what was written is read back, in every dtype',
    check: () =>
      onDevice(backend, async (device) => {
        const random = new Random(3);
        for (const dtype of device.backend.limits.dtypes) {
          const one = drawn([3, 4, 5], dtype, random, { scale: 3 });
          const read = await numbers(placed(device, one, dtype));
          ensureSame(
            read,
            one.data,
            `${isFloat(dtype) ? 'floats' : dtypes[dtype].element} of ${dtype}`,
            one.shape,
          );
        }
      }),
  },
  {
    name: 'memory that cannot be had is an error after which everything still works',
    check: () =>
      onDevice(backend, async (device) => {
        const { allocationBytes } = device.backend.limits;
        if (!Number.isFinite(allocationBytes)) return;
        const problem = attempt(() => device.backend.allocate(allocationBytes * 2));
        ensure(
          problem !== null,
          () => `allocate gave ${allocationBytes * 2} bytes, twice what it says is the most`,
        );
        const code = (problem as { readonly code?: string }).code;
        ensure(code === 'OUT_OF_MEMORY', () => `expected an OutOfMemoryError, got ${problem}`);
        ensureSame(await numbers(add(tensor(device, [1, 2]), 1)), [2, 3], 'a sum afterwards', [2]);
      }),
  },
  {
    name: 'a closed device can be opened again, and closing twice is no matter',
    check: async () => {
      const first = createDevice(await backend.open());
      await numbers(tensor(first, [1]));
      await first.close();
      await first.close();
      const second = createDevice(await backend.open());
      ensureSame(await numbers(tensor(second, [2])), [2], 'a number on the second device', [1]);
      await second.close();
    },
  },
];

function attempt(body: () => unknown): Error | null {
  try {
    body();
    return null;
  } catch (problem) {
    if (problem instanceof LawError) throw problem;
    return problem as Error;
  }
}
