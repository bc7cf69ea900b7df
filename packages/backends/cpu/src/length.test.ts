// Memory grows with the length, not with its square: no matrix of scores is ever held, forward or backward.

import { attention } from '@heed/attention';
import { softmax } from '@heed/normalizers';
import { additive } from '@heed/scores';
import { openDevice, parameter, sum, type Tensor, tensor } from '@heed/tensor';
import { afterEach, expect, it, vi } from 'vitest';
import { cpu } from './index.ts';

const WIDTH = 16;

/** Bytes that the backend has taken from the engine after additive attention of a length, and after its gradient. */
async function taken(length: number): Promise<{ readonly forward: number; readonly backward: number }> {
  const memories = vi.spyOn(WebAssembly, 'Memory');
  const device = await openDevice(cpu({ threads: 2 }));
  const [memory] = memories.mock.results.map(({ value }) => value as WebAssembly.Memory) as [
    WebAssembly.Memory,
  ];
  // Memory is never given back, so what there is now is the most that was needed.
  const bytes = (): number => memory.buffer.byteLength;
  const numbers = (...shape: number[]): Tensor => {
    const size = shape.reduce((all, one) => all * one, 1);
    return parameter(
      tensor(
        device,
        Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
        { shape },
      ),
    );
  };
  const rows = (): Tensor => numbers(1, 1, length, WIDTH);
  const [query, key, value] = [rows(), rows(), rows()];
  const params = { w: numbers(WIDTH, WIDTH), u: numbers(WIDTH, WIDTH), v: numbers(WIDTH) };
  const attend = attention({ score: additive({ hidden: WIDTH }), normalizer: softmax() });
  const context = attend(query, key, value, { params });
  await context.read();
  const forward = bytes();
  sum(context).backward();
  await query.gradient?.read();
  const backward = bytes();
  await device.close();
  memories.mockRestore();
  return { forward, backward };
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('takes memory in proportion to the length', { timeout: 120_000 }, async () => {
  const [middle, long] = [await taken(2048), await taken(4096)];
  for (const way of ['forward', 'backward'] as const) {
    // Twice, but for what it is made to grow by.
    expect(long[way] / middle[way]).toBeLessThan(2.3);
    expect(long[way]).toBeLessThan(0.25 * 4096 ** 2 * 4);
  }
});
