// The fit: settings become one attention over the steps of a series. Equal parts are composed once and kept, so that a
// bandwidth, which is a uniform, never makes another kernel.

import type { Attend, AttendCall, DefaultCatalog, Explanation, Heed } from 'heed';
import { otherBlocks } from './cross-validation.ts';
import { type Rows, rowsOf } from './rows.ts';
import { scoreKinds } from './scores.ts';
import type { Series } from './series.ts';
import type { Settings } from './settings.ts';
import { typedScore } from './typed.ts';

export interface Fit {
  /** °C for each step; NaN where no key has any weight. */
  readonly predictions: Float64Array<ArrayBuffer>;
  /** [query, key]. */
  readonly weights: Float32Array<ArrayBuffer>;
}

export interface FitOptions {
  /** Reads no key of the query's own block: a prediction then owes nothing to what it is compared with. */
  readonly crossValidated?: boolean;
}

export interface Fitter {
  /** @throws HeedError for a formula that is none, or parts that do not go together. */
  readonly fit: (settings: Settings, options?: FitOptions) => Promise<Fit>;
  /** heed's account of what it would do. */
  readonly explain: (settings: Settings) => Explanation;
}

export function createFitter(heed: Heed<DefaultCatalog>, series: Series): Fitter {
  const { steps, block } = series;
  const observed = steps.filter(({ held }) => !held);
  const mean = observed.reduce((sum, { temperature }) => sum + temperature, 0) / observed.length;
  // Around their mean, so that a row of weights that sums to less than one pulls towards it and not to 0 °C.
  const values = heed.tensor(steps.map(({ temperature }) => [temperature - mean]));
  const allowed = heed.tensor([steps.map(({ held }) => !held)]);
  const rows = kept((kind: Rows) => heed.tensor(rowsOf(series, kind)));
  const attends = kept((parts: string): Attend => compose(heed, JSON.parse(parts) as Parts));

  const prepare = (settings: Settings, { crossValidated = false }: FitOptions = {}) => {
    const row = rows(settings.rows);
    const attend = attends(JSON.stringify(partsOf(settings, crossValidated)));
    const given = { ...uniformsOf(settings), ...(crossValidated && { block }) };
    // A typed formula need not read the bandwidth, and a uniform that no part declares is an error.
    const read = Object.entries(given).filter(([name]) => attend.parts.some((part) => name in part.uniforms));
    const call = { inputs: { allowed }, uniforms: Object.fromEntries(read) };
    return { attend, row, call: call satisfies AttendCall };
  };

  return {
    async fit(settings, options) {
      const { attend, row, call } = prepare(settings, options);
      const { context, weights } = attend(row, row, values, { ...call, weights: true });
      const [offsets, read] = await Promise.all([context.read(), weights.read()]);
      const table = Float32Array.from(read);
      context.dispose();
      weights.dispose();
      const predictions = Float64Array.from(steps, (_, query) => {
        const weighed = table.subarray(query * steps.length, (query + 1) * steps.length);
        return weighed.some((weight) => weight !== 0) ? mean + offsets[query]! : Number.NaN;
      });
      return { predictions, weights: table };
    },
    explain(settings) {
      const { attend, row, call } = prepare(settings);
      return attend.explain(row, row, values, { ...call, weights: true });
    },
  };
}

/** What makes a kernel: everything but the bandwidth and the rows. */
type Parts = Pick<Settings, 'score' | 'formula' | 'mask' | 'reach' | 'normalizer'> & {
  readonly crossValidated: boolean;
};

const partsOf = ({ score, formula, mask, reach, normalizer }: Settings, crossValidated: boolean): Parts => ({
  score,
  formula: score === 'typed' ? formula : '',
  mask,
  reach: mask === 'window' ? reach : 0,
  normalizer,
  crossValidated,
});

function compose(
  heed: Heed<DefaultCatalog>,
  { score, formula, mask, reach, normalizer, crossValidated }: Parts,
): Attend {
  const near = mask === 'window' ? { name: mask, left: reach, right: reach } : mask;
  return heed.attention({
    score: score === 'typed' ? typedScore(formula) : score,
    modifiers: score === 'typed' ? [] : scoreKinds[score].modifiers,
    mask: ['allowed', near, ...(crossValidated ? [otherBlocks()] : [])],
    normalizer,
  });
}

const uniformsOf = ({ score, bandwidth }: Settings): Readonly<Record<string, number>> =>
  score === 'typed' ? { bandwidth } : scoreKinds[score].uniforms(bandwidth);

/** Made when it is first asked for. */
function kept<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}
