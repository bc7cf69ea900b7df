import { reference } from '@heed/reference';
import { createHeed } from 'heed';
import { describe, expect, it } from 'vitest';
import { counted } from './counted.ts';
import { createFitter, type Fit } from './fitter.ts';
import { normalizerKinds } from './normalizers.ts';
import { readRecord } from './record.ts';
import { recordText } from './record-file.ts';
import { rowsOf } from './rows.ts';
import { type ScoreName, scoreKinds } from './scores.ts';
import { seriesOf } from './series.ts';
import { defaults, type Settings } from './settings.ts';

const series = seriesOf(readRecord(recordText(), 'Seattle').slice(0, 60 * 7), 'weekly');
const count = series.steps.length;
const { backend, kernels } = counted(reference());
const fitter = createFitter(await createHeed({ backend }), series);
const fit = (some: Partial<Settings> = {}, crossValidated = false): Promise<Fit> =>
  fitter.fit({ ...defaults, ...some }, { crossValidated });

const rowOf = ({ weights }: Fit, query: number) => [...weights.subarray(query * count, (query + 1) * count)];
const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);

/** The formula of Nadaraya and Watson, written out. */
function nadarayaWatson(bandwidth: number): number[] {
  const rows = rowsOf(series, defaults.rows);
  return rows.map((q) => {
    const kernel = rows.map((k, at) =>
      series.steps[at]!.held
        ? 0
        : Math.exp(-total(q.map((one, f) => (one - k[f]!) ** 2)) / (2 * bandwidth ** 2)),
    );
    return total(kernel.map((weight, at) => weight * series.steps[at]!.temperature)) / total(kernel);
  });
}

describe('createFitter', () => {
  it('is kernel regression for a gaussian score and softmax', async () => {
    const { predictions } = await fit({ bandwidth: 14 });
    for (const [at, expected] of nadarayaWatson(14).entries()) {
      // Weights and values pass through float32: 24 bits, times a sum of about twenty degrees.
      expect(Math.abs(predictions[at]! - expected)).toBeLessThan(20 * 2 ** -20);
    }
  });

  it('compiles nothing when the bandwidth moves', async () => {
    for (const score of [...(Object.keys(scoreKinds) as ScoreName[]), 'typed'] as const) {
      await fit({ score, bandwidth: 14 });
      const before = kernels();
      await fit({ score, bandwidth: 30 });
      expect(kernels()).toBe(before);
    }
  });

  it.each(Object.keys(scoreKinds) as (keyof typeof scoreKinds)[])(
    'computes %s as the formula beside it says',
    async (score) => {
      const named = await fit({ score, rows: 'season', bandwidth: 25 });
      const typed = await fit({
        score: 'typed',
        formula: scoreKinds[score].formula,
        rows: 'season',
        bandwidth: 25,
      });
      for (const [at, prediction] of named.predictions.entries()) {
        expect(typed.predictions[at]).toBeCloseTo(prediction, 1);
      }
    },
  );

  it.each(Object.keys(normalizerKinds) as (keyof typeof normalizerKinds)[])(
    'never reads a held-back step: %s',
    async (normalizer) => {
      const result = await fit({ normalizer });
      for (let query = 0; query < count; query++) {
        const row = rowOf(result, query);
        expect(total(row.filter((_, key) => series.steps[key]!.held))).toBe(0);
        if (normalizer !== 'sigmoid') expect(total(row)).toBeCloseTo(1, 5);
      }
    },
  );

  it('never reads the future when causal', async () => {
    const result = await fit({ mask: 'causal' });
    for (let query = 0; query < count; query++) expect(total(rowOf(result, query).slice(query + 1))).toBe(0);
  });

  it('predicts nothing where a window holds no key', async () => {
    const result = await fit({ mask: 'window', reach: 1 });
    const inside = series.steps.findIndex((_, at) => [-1, 0, 1].every((off) => series.steps[at + off]?.held));
    expect(inside).toBeGreaterThan(0);
    expect(result.predictions[inside]).toBeNaN();
  });

  it('leaves out the own block when cross-validated', async () => {
    const result = await fit({}, true);
    const { block } = series;
    for (let query = 0; query < count; query++) {
      const first = Math.floor(query / block) * block;
      expect(total(rowOf(result, query).slice(first, first + block))).toBe(0);
    }
  });

  it.each([
    'constructor.constructor("alert(1)")()',
    'q.constructor',
    'globalThis',
    'import("https://example.com/x.js")',
    '(() => 1)()',
    '__proto__',
    '$(alert)',
    'dot(q, k',
    '',
  ])('refuses %j and says where', async (formula) => {
    await expect(fit({ score: 'typed', formula })).rejects.toMatchObject({
      code: 'EXPRESSION',
      message: expect.stringMatching(/line 1, column \d+/),
    });
  });

  it.each(['1', 'query', 'dot(q, k) / 1000', '-abs(query - key)'])(
    'takes %j, which reads no bandwidth',
    async (formula) => {
      const { predictions } = await fit({ score: 'typed', formula });
      expect(predictions.every(Number.isFinite)).toBe(true);
    },
  );

  it('refuses a formula that is not one number', async () => {
    await expect(fit({ score: 'typed', formula: 'q - k' })).rejects.toMatchObject({ code: 'EXPRESSION' });
  });

  it('explains what it would do', () => {
    const { spec, plan } = fitter.explain(defaults);
    expect(spec).toContain('gaussian');
    expect(plan).toContain('pair score');
  });
});
