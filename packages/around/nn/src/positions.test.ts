import { reference } from '@heed/reference';
import { concat, openDevice, type Tensor, tensor, uniform, zeros } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { learnedPositions, rotary, sinusoidal } from './index.ts';

const device = await openDevice(reference());
const rows = (seed: number, ...shape: number[]): Tensor =>
  uniform(device, shape, { low: -1, high: 1, seed, dtype: 'float64' });
const near = (got: ArrayLike<number>, wanted: ArrayLike<number>, digits = 12) => {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(wanted[i] as number, digits);
};

describe('sinusoidal', () => {
  it('adds sines and cosines of position / base^(2i / width)', async () => {
    const layer = sinusoidal(device, { width: 4, base: 100 });
    const got = await layer(zeros(device, [2, 4], { dtype: 'float64' }), { offset: 3 }).read();
    near(
      got,
      [3, 4].flatMap((p) => [Math.sin(p), Math.cos(p), Math.sin(p / 10), Math.cos(p / 10)]),
    );
  });

  it('takes the positions of each batch entry', async () => {
    const layer = sinusoidal(device, { width: 4 });
    const x = rows(1, 2, 3, 4);
    const positions = tensor(
      device,
      [
        [5, 6, 7],
        [0, 1, 2],
      ],
      { dtype: 'int32' },
    );
    const got = await layer(x, { positions }).read();
    const [first, second] = [x.slice(0, 0, 1), x.slice(0, 1, 2)];
    near(got, await concat([layer(first, { offset: 5 }), layer(second)]).read());
  });
});

describe('learned positions', () => {
  it('adds the rows from an offset on, and trains those alone', async () => {
    const layer = learnedPositions(device, { length: 4, width: 2, seed: 1, dtype: 'float64' });
    const { weight } = layer.parameters as { weight: Tensor };
    near(
      await layer(zeros(device, [2, 2], { dtype: 'float64' }), { offset: 1 }).read(),
      (await weight.read()).subarray(2, 6),
    );
    await gradientCheck(
      ({ x, weight }) =>
        learnedPositions(device, { length: 4, width: 2, parameters: { weight: weight as Tensor } })(
          x as Tensor,
          { offset: 1 },
        ),
      { x: rows(2, 3, 2, 2), weight },
    );
  });
});

describe('learned positions of sequences of their own', () => {
  it('are the rows at the positions given, which alone are trained', async () => {
    const made = { length: 4, width: 2 };
    const { weight } = learnedPositions(device, { ...made, seed: 1, dtype: 'float64' }).parameters as {
      weight: Tensor;
    };
    const x = zeros(device, [2, 2, 2], { dtype: 'float64' });
    const positions = tensor(
      device,
      [
        [3, 0],
        [1, 2],
      ],
      { dtype: 'int32' },
    );
    const layer = learnedPositions(device, { ...made, parameters: { weight } });
    const [a, b, c, d] = [0, 1, 2, 3].map((at) => weight.slice(0, at, at + 1)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    near(await layer(x, { positions }).read(), await concat([d, a, b, c]).read());
    await gradientCheck(
      ({ weight }) =>
        learnedPositions(device, { ...made, parameters: { weight: weight as Tensor } })(x, { positions }),
      { weight },
    );
    const beyond = layer(x, { positions: tensor(device, [0, 4], { dtype: 'int32' }) });
    await expect(beyond.read()).rejects.toThrow('4');
    expect(() => layer(x, { offset: 1, positions })).toThrow('Give one of them');
  });
});

describe('rotary', () => {
  for (const layout of ['halves', 'interleaved'] as const) {
    it(`${layout}: dot products depend on distances alone, and lengths stay`, async () => {
      const turn = rotary({ layout });
      const [q, k] = [rows(1, 1, 8), rows(2, 1, 8)];
      const product = async (i: number, j: number) => {
        const [a, b] = [await turn(q, { offset: i }).read(), await turn(k, { offset: j }).read()];
        return Array.from(a).reduce((all, one, f) => all + one * (b[f] as number), 0);
      };
      const [near0, far] = [await product(5, 2), await product(105, 102)];
      expect(far).toBeCloseTo(near0, 12);
      expect(Math.abs((await product(5, 3)) - near0)).toBeGreaterThan(1e-3);
      const size = (of: ArrayLike<number>) => Array.from(of).reduce((all, one) => all + one * one, 0);
      expect(size(await turn(q, { offset: 9 }).read())).toBeCloseTo(size(await q.read()), 12);
    });
  }

  it('turns the first features alone where told', async () => {
    const x = rows(3, 2, 8);
    const got = await rotary({ layout: 'halves', width: 4 })(x).read();
    const whole = await rotary({ layout: 'halves' })(x.slice(-1, 0, 4)).read();
    const given = await x.read();
    near(got.slice(8, 12), whole.slice(4, 8));
    near(got.slice(12), given.slice(12));
  });

  it('stretches positions as its papers say', async () => {
    const x = rows(4, 1, 8);
    const plain = rotary({ layout: 'halves' });
    near(
      await rotary({ layout: 'halves', scaling: { by: 'linear', factor: 4 } })(x, { offset: 8 }).read(),
      await plain(x, { offset: 2 }).read(),
    );
    const raised = rotary({ layout: 'halves', base: 10000 * 4 ** (8 / 6) });
    near(
      await rotary({ layout: 'halves', scaling: { by: 'ntk', factor: 4 } })(x, { offset: 8 }).read(),
      await raised(x, { offset: 8 }).read(),
    );
    const rates = [0, 1, 2, 3].map((i) => 10000 ** (-i / 4));
    near(
      await rotary({ layout: 'halves', frequencies: rates })(x, { offset: 8 }).read(),
      await plain(x, { offset: 8 }).read(),
    );
  });

  it('stretches slow pairs and leaves fast ones, as Hugging Face computes it', async () => {
    // In 2048 positions pairs 0 to 2 turn over 32 times, 6 and 7 less than once.
    const x = rows(4, 1, 16);
    const yarn = { by: 'yarn', factor: 4, length: 2048 } as const;
    const own = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => 10000 ** (-i / 8));
    const rates = own.map((rate, i) => rate * [1, 1, 1, 0.8125, 0.625, 0.4375, 0.25, 0.25][i]!);
    const given = { layout: 'halves', frequencies: rates } as const;
    const stretched = await rotary({ layout: 'halves', scaling: yarn })(x, { offset: 900 }).read();
    const plain = await rotary(given)(x, { offset: 900 }).read();
    const magnitude = 0.1 * Math.log(4) + 1;
    near(
      stretched,
      Array.from(plain, (one) => one * magnitude),
    );
    // Scores are divided by the paper's temperature, 1 / magnitude².
    near(await rotary({ ...given, magnitude })(x, { offset: 900 }).read(), stretched);
    near(
      await rotary({ layout: 'halves', scaling: { ...yarn, by: 'llama3', factor: 8 } })(x, {
        offset: 900,
      }).read(),
      await rotary({
        layout: 'halves',
        // Pairs 4 and 5 turn between 4 times and once.
        frequencies: own.map((rate, i) => {
          const kept = ((rate * 2048) / (2 * Math.PI) - 1) / 3;
          return i < 4 ? rate : i > 5 ? rate / 8 : rate * (kept + (1 - kept) / 8);
        }),
      })(x, { offset: 900 }).read(),
    );
  });

  it('stretches by a step where the bounds of the mix fall together', async () => {
    // A sequence so short that even the fastest pair turns less than once: all are stretched but the one at the bound.
    const scaling = { by: 'yarn', factor: 2, length: 4 } as const;
    const got = await rotary({ layout: 'halves', scaling, magnitude: 1 })(rows(4, 1, 8), {
      offset: 3,
    }).read();
    const frequencies = [0, 1, 2, 3].map((i) => 10000 ** (-i / 4) / (i === 0 ? 1 : 2));
    near(got, await rotary({ layout: 'halves', frequencies })(rows(4, 1, 8), { offset: 3 }).read());
  });

  it('takes positions, one list or one for each batch entry', async () => {
    const x = rows(5, 2, 3, 2, 4);
    const turn = rotary({ layout: 'interleaved' });
    const one = tensor(device, [3, 4], { dtype: 'int32' });
    near(await turn(x, { positions: one }).read(), await turn(x, { offset: 3 }).read());
    const each = tensor(
      device,
      [
        [3, 4],
        [0, 1],
      ],
      { dtype: 'int32' },
    );
    const wanted = concat([turn(x.slice(0, 0, 1), { offset: 3 }), turn(x.slice(0, 1, 2))]);
    near(await turn(x, { positions: each }).read(), await wanted.read());
  });

  it('differentiates', async () => {
    for (const layout of ['halves', 'interleaved'] as const)
      await gradientCheck(({ x }) => rotary({ layout, width: 4 })(x as Tensor, { offset: 2 }), {
        x: rows(6, 3, 6),
      });
  });
});
