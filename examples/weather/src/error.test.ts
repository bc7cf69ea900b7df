import { describe, expect, it } from 'vitest';
import { baselines, errorOf } from './error.ts';
import type { Series } from './series.ts';

const series = (temperatures: readonly number[], held: readonly number[], length = 1): Series => ({
  steps: temperatures.map((temperature, at) => ({
    date: new Date(at * length * 86_400_000),
    day: (at + 0.5) * length,
    temperature,
    held: held.includes(at),
  })),
  length,
  block: 1,
});

describe('errorOf', () => {
  it('is the root mean square on what was held back', () => {
    const { rmse, predicted, held } = errorOf(series([1, 2, 3, 4], [1, 3]), [9, 5, 9, 8]);
    expect(rmse).toBe(Math.sqrt((9 + 16) / 2));
    expect([predicted, held]).toEqual([2, 2]);
  });

  it('counts a step without a prediction and does not guess it', () => {
    const { rmse, predicted, held } = errorOf(series([1, 2, 3], [0, 1]), [Number.NaN, 3, 0]);
    expect(rmse).toBe(1);
    expect([predicted, held]).toEqual([1, 2]);
  });

  it('is NaN where nothing is predicted', () => {
    expect(errorOf(series([1, 2], [0]), [Number.NaN, 0]).rmse).toBeNaN();
  });
});

describe('baselines', () => {
  it('never look at what was held back', () => {
    const held = [5, 60];
    const plain = series(
      Array.from({ length: 120 }, (_, at) => at % 7),
      held,
      7,
    );
    const spoilt = {
      ...plain,
      steps: plain.steps.map((step) => (step.held ? { ...step, temperature: 1e9 } : step)),
    };
    for (const { predict } of Object.values(baselines)) expect(predict(spoilt)).toEqual(predict(plain));
  });

  it('take the mean around a step', () => {
    expect(baselines.moving.predict(series([1, 100, 3], [1]))[1]).toBe(2);
  });

  it('take the same week of other years', () => {
    const yearly = series(
      Array.from({ length: 160 }, (_, at) => Math.floor(at / 52.18)),
      [60],
      7,
    );
    expect(baselines.season.predict(yearly)[60]).toBeCloseTo(1, 0);
  });
});
