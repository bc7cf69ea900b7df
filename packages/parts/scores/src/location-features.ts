// What a convolution sees of the weights before.

import { matmul, pad, ShapeError, stack, type Tensor } from '@heed/tensor';

/**
 * Features of weights for the score `locationSensitive`: f[j, c] = sum over t, o of filters[c, t, o] * track_t[j + o -
 * floor((width - 1) / 2)], a cross-correlation along the keys with zeros beyond the ends, so that there is a feature for
 * each key. Chorowski et al. 2015 (arXiv 1506.07503), equation 8.
 *
 * @param tracks what to look at, each [..., key]: the weights of the step before and, as in Tacotron 2, their sum so far.
 * @param filters [channels, width] for one track, [channels, tracks, width] for several.
 * @returns [..., key, channels].
 * @throws ShapeError where the filters are not for so many tracks.
 */
export function locationFeatures(tracks: Tensor | readonly Tensor[], filters: Tensor): Tensor {
  const all = Array.isArray(tracks) ? (tracks as readonly Tensor[]) : [tracks as Tensor];
  const kernel = filters.rank === 2 ? filters.unsqueeze(1) : filters;
  const [channels, count, width] = kernel.shape as [number, number, number];
  if (kernel.rank !== 3 || count !== all.length) {
    throw new ShapeError(
      `locationFeatures: expected filters [channels, tracks, width] for ${all.length} tracks (or [channels, width] for one), got [${filters.shape.join(', ')}].`,
    );
  }
  const before = Math.floor((width - 1) / 2);
  const seen = all.flatMap((track) => {
    const length = track.shape.at(-1) as number;
    const ends = track.shape.map((_, axis) =>
      axis === track.rank - 1 ? ([before, width - 1 - before] as const) : ([0, 0] as const),
    );
    const padded = pad(track, ends);
    return Array.from({ length: width }, (_, o) => padded.slice(-1, o, o + length));
  });
  return matmul(stack(seen, { axis: -1 }), kernel.reshape([channels, count * width]), { transposeB: true });
}
