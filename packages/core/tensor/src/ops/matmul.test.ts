import { describe, expect, it } from 'vitest';
import { tensor } from '../data.ts';
import { checkGradient, freshDevice, leavesNothing, some } from '../device.fixture.ts';
import { parameter } from '../tape/parameter.ts';
import { matmul } from './matmul.ts';
import { sum } from './reductions.ts';

const cases = [
  { name: 'matrices', a: [2, 3], b: [3, 4], out: [2, 4] },
  { name: 'a vector on the left', a: [3], b: [3, 4], out: [4] },
  { name: 'a vector on the right', a: [2, 3], b: [3], out: [2] },
  { name: 'two vectors', a: [3], b: [3], out: [] },
  { name: 'batches', a: [2, 2, 3], b: [2, 3, 2], out: [2, 2, 2] },
  { name: 'one matrix for a batch', a: [2, 2, 3], b: [3, 2], out: [2, 2, 2] },
  { name: 'one matrix on the left', a: [2, 3], b: [2, 3, 2], out: [2, 2, 2] },
  { name: 'broadcast batches', a: [2, 1, 2, 3], b: [3, 3, 2], out: [2, 3, 2, 2] },
  { name: 'a batch of vectors', a: [2, 2, 3], b: [3], out: [2, 2] },
];

describe('matmul', () => {
  it('multiplies rows by columns', async () => {
    const device = await freshDevice();
    const [a, b] = [
      tensor(device, [
        [1, 2],
        [3, 4],
      ]),
      tensor(device, [
        [5, 6],
        [7, 8],
      ]),
    ];
    expect(await matmul(a, b).toNested()).toEqual([
      [19, 22],
      [43, 50],
    ]);
    expect(await matmul(a, b, { transposeA: true }).toNested()).toEqual([
      [26, 30],
      [38, 44],
    ]);
    expect(await matmul(a, b, { transposeB: true }).toNested()).toEqual([
      [17, 23],
      [39, 53],
    ]);
  });

  for (const { name, a, b, out } of cases) {
    it(`takes ${name}, with gradients`, async () => {
      const device = await freshDevice();
      expect(matmul(some(device, a), some(device, b)).shape).toEqual(out);
      await checkGradient(device, (x, y) => matmul(x!, y!), [some(device, a, 1), some(device, b, 2)]);
    });
  }

  it('has gradients through transposes', async () => {
    const device = await freshDevice();
    for (const [transposeA, transposeB] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const inputs = [
        some(device, transposeA ? [2, 3, 2] : [2, 2, 3], 1),
        some(device, transposeB ? [4, 3] : [3, 4], 2),
      ];
      await checkGradient(device, (x, y) => matmul(x!, y!, { transposeA, transposeB }), inputs);
    }
  });

  it('gives zeros where there is nothing to sum', async () => {
    const device = await freshDevice();
    const none = tensor(device, [[], []]);
    expect(await matmul(none, none, { transposeB: true }).toNested()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('saves only what the gradients that are asked for need', async () => {
    const device = await freshDevice();
    await leavesNothing(device, () => {
      const w = parameter(some(device, [3, 4], 2));
      const x = some(device, [2, 3], 1);
      const y = matmul(x, w);
      const before = device.live.buffers;
      x.dispose();
      expect(device.live.buffers).toBe(before);
      sum(y).backward();
      expect(device.live.buffers).toBe(before + 1); // x has gone; the sum and the gradient have come
    });
  });
});
