// A penalty that grows with the square of the distance.

import { defineModifier, option } from '@heed/attention';
import { div, mul, scalar, square, sub, toFloat } from '@heed/expr';
import { alignment, position } from '../alignment.ts';

/**
 * score - (key - centre)² / (2 sigma²): with softmax, weights are multiplied by a Gaussian around the centre and sum to one
 * again. Yang et al. 2018 (modeling localness, arXiv 1810.10182), equation 4; the centre is the query's own position (Guo,
 * Zhang, Liu 2019, Gaussian Transformer) or is given, as theirs is predicted.
 *
 * The reweight `localGaussian` multiplies weights after normalising and leaves their sum below one, as in Luong's local-p.
 *
 * Side input, with `center: 'given'`: `centers` [batch, head, query], floats, with a gradient. Otherwise alignment is as for
 * the mask `causal`.
 *
 * @throws ShapeError at a call whose lengths differ where neither `align`, `offset` nor centres were given.
 * @example gaussianWindow({ sigma: 4 })
 */
export const gaussianWindow = defineModifier({
  name: 'gaussian-window',
  ...alignment,
  options: {
    ...alignment.options,
    /** The query's own position, or the side input `centers`. */
    center: option.oneOf('own', 'given'),
  },
  inputs: { ...alignment.inputs, centers: { type: scalar, along: ['batch', 'head', 'query'] } },
  uniforms: {
    ...alignment.uniforms,
    /** The standard deviation, in keys. */
    sigma: { element: 'float', value: 5, above: 0 },
  },
  refuse: (lengths, options, uniforms) =>
    options.center === 'given' ? undefined : alignment.refuse(lengths, options, uniforms),
  modify: (at, options) => {
    const { sigma } = at.uniforms;
    const centre = options.center === 'given' ? at.inputs.centers : toFloat(position(at, options));
    return sub(at.score, div(square(sub(at.key, centre)), mul(2, square(sigma))));
  },
});
