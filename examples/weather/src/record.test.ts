import { describe, expect, it } from 'vitest';
import { cities, readRecord } from './record.ts';
import { recordText } from './record-file.ts';

describe('readRecord', () => {
  it.each(cities)('reads four years of %s without a gap', (city) => {
    const days = readRecord(recordText(), city);
    expect(days).toHaveLength(4 * 365 + 1);
    expect(days[0]?.date.toISOString()).toBe('2012-01-01T00:00:00.000Z');
    const gaps = days.slice(1).map(({ date }, at) => date.getTime() - days[at]!.date.getTime());
    expect(new Set(gaps)).toEqual(new Set([86_400_000]));
  });

  it('names the line that is no day', () => {
    const csv = 'location,date,temp_max\nSeattle,2012-01-01,5\nSeattle,2012-13-01,5\n';
    expect(() => readRecord(csv, 'Seattle')).toThrow('line 3 is not a day');
    expect(() => readRecord('location,date,temp_max\nSeattle,2012-01-01,', 'Seattle')).toThrow('line 2');
  });

  it('names a column that is missing', () => {
    expect(() => readRecord('location,date\n', 'Seattle')).toThrow('expected a column "temp_max"');
  });
});
