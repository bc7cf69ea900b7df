import { reference } from '@heed/reference';
import { normal, openDevice, tensor } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { locationFeatures } from './location-features.ts';
import { locationSensitive } from './location-sensitive.ts';
import { message, paramsOf, scoreOf } from './pair.fixture.ts';

describe('locationSensitive', () => {
  it('adds what is seen of the weights before, inside the tanh', () => {
    const params = { w: [1, -1], u: [0.5, 0, 0, 2], v: [3, 4], b: [0, 0.25], f: [1, 2, 0, -1] };
    const score = locationSensitive({ hidden: 2, channels: 2 });
    // W q + U k = [0.7, 0.4], F f = [0.1 + 0.4, -0.2].
    expect(scoreOf(score, [0.2], [1, 0.3], { ...params, features: [0.1, 0.2] })).toBeCloseTo(
      3 * Math.tanh(1.2) + 4 * Math.tanh(0.45),
      14,
    );
    expect(paramsOf(locationSensitive())).toContain('f: mat(hidden, channels), scaled-normal');
  });
});

describe('locationFeatures', () => {
  it('correlates filters with the weights, zeros beyond the ends', async () => {
    const device = await openDevice(reference());
    const weights = tensor(device, [[1, 2, 3, 4]]);
    const filters = tensor(device, [
      [0, 1, 0],
      [10, 0, 1],
    ]);
    expect(await locationFeatures(weights, filters).toNested()).toEqual([
      [
        [1, 2],
        [2, 13],
        [3, 24],
        [4, 30],
      ],
    ]);
    const two = tensor(device, [[[1], [100]]]);
    expect(await locationFeatures([weights, weights], two).toNested()).toEqual([
      [[101], [202], [303], [404]],
    ]);
    expect(message(() => locationFeatures([weights, weights], filters))).toMatchInlineSnapshot(
      `"ShapeError: locationFeatures: expected filters [channels, tracks, width] for 2 tracks (or [channels, width] for one), got [2, 3]."`,
    );
    await device.close();
  });

  it('has gradients', async () => {
    const device = await openDevice(reference());
    const { checked } = await gradientCheck(
      ({ w, f }) => locationFeatures([w as never, w as never], f as never),
      {
        w: normal(device, [2, 5], { seed: 1, dtype: 'float64' }),
        f: normal(device, [3, 2, 4], { seed: 2, dtype: 'float64' }),
      },
    );
    expect(checked).toBe(10 + 24);
    await device.close();
  });
});
