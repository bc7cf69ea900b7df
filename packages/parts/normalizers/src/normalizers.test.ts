import { describe, expect, it } from 'vitest';
import { adaptiveEntmax } from './adaptive-entmax.ts';
import { entmax } from './entmax.ts';
import { entmax15 } from './entmax-15.ts';
import { hard } from './hard.ts';
import { identity } from './identity.ts';
import { relu } from './relu.ts';
import { message, weigh } from './row.fixture.ts';
import { sigmoid } from './sigmoid.ts';
import { softmax } from './softmax.ts';
import { sparsemax } from './sparsemax.ts';

const { exp, log, log1p } = Math;
const close = (got: readonly number[] | undefined, expected: readonly number[]): void => {
  expect(got?.length).toBe(expected.length);
  for (const [i, one] of expected.entries()) expect(got?.[i]).toBeCloseTo(one, 10);
};

describe('softmax', () => {
  it('weighs by exponentials, and its level is their log-sum-exp', async () => {
    const { weights, level } = await weigh(softmax(), [[0, log(3)]]);
    close(weights[0], [1 / 4, 3 / 4]);
    close(level, [log(4)]);
  });

  it('gives weight away to a sink', async () => {
    const zero = await weigh(softmax({ sink: 'zero' }), [[0, log(3)]]);
    close(zero.weights[0], [1 / 5, 3 / 5]);
    close(zero.level, [log1p(4)]);
    close((await weigh(softmax({ sink: 'zero' }), [[-50, -60]])).weights[0], [exp(-50), exp(-60)]);
    close(
      (await weigh(softmax({ sink: 'learned' }), [[0, log(3)]], { params: { sinks: log(6) } })).weights[0],
      [0.1, 0.3],
    );
  });

  it('takes the scores of sinks from the call', async () => {
    expect(softmax({ sink: 'given' }).inputs).toMatchObject({
      sinkScores: { along: ['batch', 'head', 'query'] },
    });
    close(
      (await weigh(softmax({ sink: 'given' }), [[0, log(3)]], { inputs: { sinkScores: [log(6)] } }))
        .weights[0],
      [0.1, 0.3],
    );
  });

  it('trains a sink for each head, where one is asked for', () => {
    expect(softmax({ sink: 'zero' }).params).toEqual({});
    expect(softmax({ sink: 'learned' }).params).toMatchObject({ sinks: { along: ['head'], initial: 0 } });
    // @ts-expect-error: one of four words
    expect(message(() => softmax({ sink: true }))).toMatchInlineSnapshot(
      `"ValueError: normalizer "softmax": the option "sink" expects one of 'none', 'zero', 'learned', 'given', got true."`,
    );
  });
});

describe('sparsemax', () => {
  it('is the nearest point of the simplex', async () => {
    // Martins, Astudillo 2016: for two scores 0 and t, the weight of t is (t + 1) / 2 clipped to [0, 1].
    close(
      (
        await weigh(sparsemax(), [
          [0, 0.5],
          [0, -0.2],
          [0, 1.5],
        ])
      ).weights.flat(),
      [0.25, 0.75, 0.6, 0.4, 0, 1],
    );
    // Three in the support: tau = (1.0 + 0.8 + 0.6 - 1) / 3.
    const { weights, level } = await weigh(sparsemax(), [[1, 0.8, 0.6, -1]]);
    close(weights[0], [8 / 15, 1 / 3, 2 / 15, 0]);
    close(level, [7 / 15]);
  });
});

describe('entmax15', () => {
  it('is the square of what lies above the level', async () => {
    // With z = score / 2 in {0.6, 0}: (0.6 - tau)^2 + tau^2 = 1 at tau = -0.3 - sqrt(0.41) + 0.6.
    const tau = 0.3 - Math.sqrt(0.41);
    const { weights, level } = await weigh(entmax15(), [[1.2, 0]]);
    close(weights[0], [(0.6 - tau) ** 2, tau ** 2]);
    close(level, [tau]);
    close((await weigh(entmax15(), [[3, 0]])).weights[0], [1, 0]);
  });
});

describe('entmax', () => {
  it('is sparsemax at 2 and entmax15 at 1.5', async () => {
    const rows = [
      [0.3, -1.2, 0.9, 0.1],
      [5, 5, 4.9, 0],
    ];
    for (const [alpha, same] of [
      [2, sparsemax()],
      [1.5, entmax15()],
    ] as const) {
      close((await weigh(entmax({ alpha }), rows)).weights.flat(), (await weigh(same, rows)).weights.flat());
    }
  });

  it('comes near softmax towards 1', async () => {
    const [near, soft] = [
      await weigh(entmax({ alpha: 1.0001 }), [[0.3, -1.2, 0.9]]),
      await weigh(softmax(), [[0.3, -1.2, 0.9]]),
    ];
    for (const [i, one] of (near.weights[0] ?? []).entries())
      expect(one).toBeCloseTo(soft.weights[0]?.[i] as number, 3);
  });

  it('needs an alpha above 1', () => {
    // @ts-expect-error: it must be given
    expect(message(() => entmax())).toMatchInlineSnapshot(
      `"NameError: normalizer "entmax": the option "alpha" must be given: expected a finite number above 1, as in entmax({ alpha: ... })."`,
    );
    expect(message(() => entmax({ alpha: 1 }))).toMatchInlineSnapshot(
      `"ValueError: normalizer "entmax": the option "alpha" expects a finite number above 1, got 1."`,
    );
  });
});

describe('adaptiveEntmax', () => {
  it('is entmax at 1 + sigmoid(a)', async () => {
    const rows = [
      [0.3, -1.2, 0.9, 0.1],
      [5, 5, 4.9, 0],
    ];
    for (const a of [-1, 0, 3]) {
      const alpha = 1 + 1 / (1 + exp(-a));
      close(
        (await weigh(adaptiveEntmax(), rows, { params: { alphas: a } })).weights.flat(),
        (await weigh(entmax({ alpha }), rows)).weights.flat(),
      );
    }
    expect(adaptiveEntmax().params).toMatchObject({ alphas: { along: ['head'], initial: 0 } });
  });
});

describe('sigmoid', () => {
  it('takes a trained number for each head', async () => {
    close(
      (await weigh(sigmoid({ bias: 'learned', shift: 1 }), [[0]], { params: { shifts: -1 - log(3) } }))
        .weights[0],
      [0.25],
    );
    expect(sigmoid().params).toEqual({});
  });

  it('weighs each key by itself', async () => {
    close((await weigh(sigmoid(), [[0, log(3), -1000]])).weights[0], [0.5, 0.75, 0]);
    close((await weigh(sigmoid(), [[0]], { uniforms: { shift: -log(3) } })).weights[0], [0.25]);
  });
});

describe('relu', () => {
  it('keeps the positive part', async () => {
    close((await weigh(relu({ divisor: 4 }), [[2, -3, 6]])).weights[0], [0.5, 0, 1.5]);
    expect(message(() => relu({ divisor: 0 }))).toMatchInlineSnapshot(
      `"ValueError: normalizer "relu": the option "divisor" expects a finite number above 0, got 0."`,
    );
  });
});

describe('hard', () => {
  it('takes the first of the largest', async () => {
    const { weights, level, gradient } = await weigh(hard(), [
      [1, 3, 3, 2],
      [null, 3, 3, 2],
      [-1, -1, -2, null],
    ]);
    expect(weights).toEqual([
      [0, 1, 0, 0],
      [0, 1, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect(level).toEqual([1, 1, 0]);
    expect(gradient.flat().every((one) => one === 0)).toBe(true);
  });
});

describe('identity', () => {
  it('leaves scores as they are', async () => {
    expect((await weigh(identity(), [[1, -3, null]])).weights).toEqual([[1, -3, 0]]);
  });
});
