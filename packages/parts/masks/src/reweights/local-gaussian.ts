// Weight that falls off around a centre.

import { defineReweight, option } from '@heed/attention';
import { abs, div, exp, le, mul, neg, scalar, select, square, sub } from '@heed/expr';

/**
 * weight * exp(-(key - centers[query])^2 / (2 sigma^2)). Luong, Pham, Manning 2015 (arXiv 1508.04025), section
 * 3.2: local-p favours the keys near the predicted centre. Weights are not normalised again, so a row sums to
 * less than one.
 *
 * In the paper's reading that the softmax runs over the window, the window is a mask: `local({ window })`. In the
 * reading that it runs over all keys, give `window` here, and weights beyond it become 0 after the softmax.
 *
 * Side input: `centers` [batch, head, query], floats, with a gradient.
 *
 * @example attention({ score: dot(), mask: local({ window: 10 }), normalizer: softmax(), reweight: [localGaussian({ sigma: 5 })] })
 */
export const localGaussian = defineReweight({
  name: 'local-gaussian',
  options: {
    /** Beyond this distance the weight is 0. */
    window: option.number({ optional: true, min: 0 }),
  },
  inputs: { centers: { type: scalar, along: ['batch', 'head', 'query'] } },
  uniforms: {
    /** The standard deviation, in keys: half the window in the paper, whose window is 10. */
    sigma: { element: 'float', value: 5, above: 0 },
  },
  factor: ({ key, inputs: { centers }, uniforms: { sigma } }, { window }) => {
    const away = sub(key, centers);
    const falling = exp(neg(div(square(away), mul(2, square(sigma)))));
    return window === undefined ? falling : select(le(abs(away), window), falling, 0);
  },
});
