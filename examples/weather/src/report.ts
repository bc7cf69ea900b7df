// The report: several attentions against guesses that need none. Each bandwidth is chosen by cross-validation on the
// observed steps, so the held-back ones are looked at once.

import { crossValidate } from './cross-validation.ts';
import { baselines, errorOf, type HeldError } from './error.ts';
import type { Fit, Fitter } from './fitter.ts';
import type { Series } from './series.ts';
import { defaults, type Settings } from './settings.ts';

export interface Line {
  readonly label: string;
  /** Days; null where there is none. */
  readonly bandwidth: number | null;
  readonly error: HeldError;
}

export interface Report {
  readonly lines: readonly Line[];
  /** The attention with the least cross-validated error, and its fit. */
  readonly best: { readonly line: Line; readonly settings: Settings; readonly fit: Fit };
}

/** Days. */
const candidates = [5, 7, 10, 14, 21, 30, 45, 75];

const contenders: readonly Partial<Settings>[] = [
  { score: 'gaussian', rows: 'both', normalizer: 'softmax' },
  { score: 'gaussian', rows: 'both', normalizer: 'sparsemax' },
  { score: 'gaussian', rows: 'season', normalizer: 'softmax' },
  { score: 'gaussian', rows: 'day', normalizer: 'softmax' },
  { score: 'cosine', rows: 'season', normalizer: 'entmax-1.5' },
  { score: 'laplace', rows: 'both', normalizer: 'softmax' },
  {
    score: 'typed',
    formula: '-log(1 + dot(q - k, q - k) / bandwidth^2) * 4',
    rows: 'both',
    normalizer: 'softmax',
  },
  { score: 'gaussian', rows: 'both', normalizer: 'hard' },
  { score: 'gaussian', rows: 'both', normalizer: 'softmax', mask: 'causal' },
];

export async function reportOn(series: Series, fitter: Fitter): Promise<Report> {
  const fitted = [];
  for (const contender of contenders) {
    const { settings, crossValidated } = await chooseBandwidth(series, fitter, {
      ...defaults,
      ...contender,
    });
    const fit = await fitter.fit(settings);
    const error = errorOf(series, fit.predictions);
    fitted.push({
      line: { label: labelOf(settings), bandwidth: settings.bandwidth, error },
      settings,
      fit,
      crossValidated,
    });
  }
  const guesses = Object.values(baselines).map(
    ({ label, predict }): Line => ({ label, bandwidth: null, error: errorOf(series, predict(series)) }),
  );
  const best = fitted.reduce((a, b) => (b.crossValidated < a.crossValidated ? b : a));
  return { lines: [...fitted.map(({ line }) => line), ...guesses], best };
}

/** The bandwidth with the least cross-validated error. */
async function chooseBandwidth(
  series: Series,
  fitter: Fitter,
  settings: Settings,
): Promise<{ readonly settings: Settings; readonly crossValidated: number }> {
  let best = { settings, crossValidated: Number.POSITIVE_INFINITY };
  for (const bandwidth of candidates) {
    const one = { ...settings, bandwidth };
    const crossValidated = await crossValidate(series, fitter, one);
    if (crossValidated < best.crossValidated) best = { settings: one, crossValidated };
  }
  return best;
}

const labelOf = ({ score, formula, rows, normalizer, mask }: Settings): string =>
  `${score === 'typed' ? formula : score}, ${normalizer}, ${rows === 'both' ? 'season and year' : rows}${
    mask === 'full' ? '' : `, ${mask}`
  }`;

/** A table of fixed width, the best error first. */
export function tableOf(lines: readonly Line[]): string {
  const rows = [...lines]
    .sort((a, b) => a.error.rmse - b.error.rmse)
    .map(({ label, bandwidth, error }) => [
      label,
      bandwidth === null ? '' : `${bandwidth} days`,
      `${error.rmse.toFixed(2)} °C`,
      `${error.predicted} of ${error.held}`,
    ]);
  const all = [['', 'bandwidth', 'error', 'predicted'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  return all
    .map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
