import { attention, defineScore } from '@heed/attention';
import { scalar } from '@heed/expr';
import { reference } from '@heed/reference';
import { openDevice, tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { gumbel } from './gumbel.ts';
import { identity } from './identity.ts';

const given = defineScore({
  name: 'given',
  inputs: { scores: { type: scalar, along: ['key'] } },
  score: ({ inputs: { scores } }) => scores,
});

async function noise(seed: number, scale = 1): Promise<Float64Array> {
  const device = await openDevice(reference());
  const rows = tensor(device, new Float64Array(40), { dtype: 'float64', shape: [40, 1] });
  const scores = tensor(device, new Float64Array(40), { dtype: 'float64', shape: [40] });
  const attend = attention({ score: given(), modifiers: [gumbel()], normalizer: identity() });
  const drawn = attend.scores(rows, rows, {
    inputs: { scores },
    uniforms: { gumbelSeed: seed, gumbelScale: scale },
  });
  const all = Float64Array.from(await drawn.read());
  await device.close();
  return all;
}

describe('gumbel', () => {
  it("adds noise with the mean and the deviation of Gumbel's distribution", async () => {
    const all = await noise(1);
    const mean = all.reduce((a, b) => a + b) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / all.length);
    // Euler's constant, within five deviations of a mean of 1600; pi / sqrt(6), within a tenth.
    expect(Math.abs(mean - 0.5772)).toBeLessThan((5 * 1.2825) / 40);
    expect(Math.abs(deviation - Math.PI / Math.sqrt(6))).toBeLessThan(0.13);
    expect(all.every(Number.isFinite)).toBe(true);
  });

  it('draws once for each seed, and adds nothing at a scale of 0', async () => {
    expect(await noise(1)).toEqual(await noise(1));
    expect(await noise(2)).not.toEqual(await noise(1));
    expect((await noise(1, 0)).every((one) => one === 0)).toBe(true);
  });
});
