import { describe, expect, it } from 'vitest';
import { cities, readRecord } from './record.ts';
import { recordText } from './record-file.ts';
import { type Resolution, resolutions, seriesOf } from './series.ts';

const series = (resolution: Resolution) => seriesOf(readRecord(recordText(), 'Seattle'), resolution);

describe('seriesOf', () => {
  it('takes the mean of whole weeks', () => {
    const { steps } = series('weekly');
    expect(steps).toHaveLength(208);
    const days = readRecord(recordText(), 'Seattle').slice(7, 14);
    const mean = days.reduce((sum, { temperature }) => sum + temperature, 0) / 7;
    expect(steps[1]?.temperature).toBeCloseTo(mean, 12);
    expect(steps[1]?.day).toBe(10.5);
  });

  it.each(Object.keys(resolutions) as Resolution[])(
    'holds back about a quarter of %s, in whole blocks',
    (resolution) => {
      const { steps, block } = series(resolution);
      const held = steps.map((step) => step.held);
      const share = held.filter(Boolean).length / held.length;
      expect(share).toBeGreaterThan(0.2);
      expect(share).toBeLessThan(0.3);
      for (let first = 0; first < held.length; first += block) {
        expect(new Set(held.slice(first, first + block)).size).toBe(1);
      }
      expect(held.slice(0, 4 * block)).not.toContain(true);
    },
  );

  it('holds back the same steps for every city, each time', () => {
    const held = cities.map((city) =>
      seriesOf(readRecord(recordText(), city), 'weekly').steps.map((step) => step.held),
    );
    expect(held[0]).toEqual(held[1]);
  });
});
