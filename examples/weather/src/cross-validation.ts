// Cross-validation is a mask: a query reads no key of its own block, so what is predicted for an observed step owes
// nothing to it. One call leaves out every block in turn.

import { defineMask, formula } from 'heed';
import { errorOf } from './error.ts';
import type { Fitter } from './fitter.ts';
import type { Series } from './series.ts';
import type { Settings } from './settings.ts';

/** floor(key / block) differs from floor(query / block). Queries and keys are the same steps. */
export const otherBlocks = defineMask({
  name: 'other-blocks',
  uniforms: { block: { element: 'int', value: 4 } },
  allowed: ({ query, key, uniforms: { block } }) =>
    formula.ne(formula.floorDiv(key, block), formula.floorDiv(query, block)),
});

/** The error on the observed steps, each predicted without its own block, °C. What is held back has no part in it. */
export async function crossValidate(series: Series, fitter: Fitter, settings: Settings): Promise<number> {
  const { predictions } = await fitter.fit(settings, { crossValidated: true });
  return errorOf(series, predictions, ({ held }) => !held).rmse;
}
