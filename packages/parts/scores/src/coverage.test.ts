import { attention, parameters } from '@heed/attention';
import { reference } from '@heed/reference';
import { add, normal, openDevice, sum, type Tensor, tensor, zeros } from '@heed/tensor';
import { gradientCheck } from '@heed/testing';
import { describe, expect, it } from 'vitest';
import { coverage, coverageLoss } from './coverage.ts';
import { softmaxOf } from './decoder.fixture.ts';
import { scoreOf } from './pair.fixture.ts';

describe('coverage', () => {
  it('adds what a key has had, inside the tanh', () => {
    const params = { w: [1, -1], u: [0.5, 0, 0, 2], v: [3, 4], wc: [10, -10], b: [0, 0.25] };
    // W q + U k = [0.7, 0.4].
    expect(scoreOf(coverage({ hidden: 2 }), [0.2], [1, 0.3], { ...params, coverage: 0.05 })).toBeCloseTo(
      3 * Math.tanh(1.2) + 4 * Math.tanh(0.15),
      14,
    );
  });

  it('is kept by a decoder, and differentiated through every step', async () => {
    const device = await openDevice(reference());
    const attend = attention({ score: coverage({ hidden: 3 }), normalizer: softmaxOf() });
    const params = parameters(attend, device, {
      seed: 1,
      sizes: { queryFeature: 2, keyFeature: 2 },
      dtype: 'float64',
    });
    const key = normal(device, [2, 4, 2], { seed: 2, dtype: 'float64' });
    const query = normal(device, [2, 3, 2], { seed: 3, dtype: 'float64' });
    const decode = (given: typeof params) => {
      let had: Tensor = zeros(device, [2, 1, 4], { dtype: 'float64' });
      let loss: Tensor = sum(zeros(device, [2], { dtype: 'float64' }));
      for (let t = 0; t < 3; t++) {
        const { weights, context } = attend(query.slice(1, t, t + 1), key, key, {
          params: given,
          inputs: { coverage: had },
          weights: true,
        });
        loss = add(add(loss, sum(context)), sum(coverageLoss(weights, had)));
        had = add(had, weights);
      }
      return loss;
    };
    const { checked } = await gradientCheck((given) => decode(given as typeof params), params);
    expect(checked).toBeGreaterThan(20);
    await device.close();
  });
});

describe('coverageLoss', () => {
  it('is what a step gives to keys that have had it already', async () => {
    const device = await openDevice(reference());
    const [weights, before] = [
      tensor(device, [
        [0.5, 0.5, 0],
        [0, 0, 1],
      ]),
      tensor(device, [
        [0.25, 2, 1],
        [1, 1, 0],
      ]),
    ];
    expect(Array.from(await coverageLoss(weights, before).read())).toEqual([0.75, 0]);
    await device.close();
  });
});
