import { maskLaws, modifierLaws, reweightLaws } from '@heed/testing';
import { describe, it } from 'vitest';
import {
  alibi,
  allOf,
  allowed,
  anyOf,
  bias,
  biasAllows,
  blockLocal,
  causal,
  dilated,
  document,
  except,
  fixedSparse,
  full,
  gaussianWindow,
  globalPrefix,
  globalWindow,
  learnedScale,
  local,
  localGaussian,
  neighborhood,
  padding,
  prefix,
  queryPadding,
  randomBlocks,
  relativeBuckets,
  relativeGrid,
  relativeKeys,
  relativeTable,
  softcap,
  strided,
  temperature,
  window,
} from './index.ts';

for (const mask of [
  allowed(),
  biasAllows(),
  blockLocal({ block: 3, align: 'start' }),
  blockLocal({ block: 2, neighbours: 1, align: 'end' }),
  causal(),
  causal({ align: 'start' }),
  causal({ align: 'end' }),
  causal({ align: 'lengths' }),
  causal({ offset: 2 }),
  dilated({ stride: 3, align: 'end' }),
  document(),
  fixedSparse({ stride: 3, summary: 1, align: 'start' }),
  fixedSparse({ stride: 4, summary: 2, factor: 'summary', align: 'end' }),
  full(),
  globalPrefix({ positions: 2, align: 'end' }),
  globalPrefix({ positions: 1, side: 'keys' }),
  globalWindow({ window: 1, global: [0, 3], align: 'start' }),
  local({ window: 1.5 }),
  neighborhood({ height: 2, width: 3, size: 1 }),
  neighborhood({ height: 3, width: 3, size: 3 }),
  neighborhood({ height: 2, width: 4, size: 3, edges: 'cut' }),
  padding(),
  prefix({ align: 'end' }),
  queryPadding(),
  randomBlocks({ block: 2, draws: 2, align: 'start' }),
  strided({ stride: 2, align: 'end' }),
  strided({ stride: 3, factor: 'local', align: 'start' }),
  strided({ stride: 3, factor: 'stride', align: 'start' }),
  window({ left: 2, right: 1, align: 'end' }),
  allOf(document(), causal({ align: 'start' })),
  anyOf(window({ left: 1, right: 0, align: 'end' }), padding()),
  except(causal({ align: 'start' })),
]) {
  maskLaws(mask, { describe, it });
}

for (const modifier of [
  alibi({ slope: 'given', align: 'end' }),
  alibi({ slope: 'interleaved', align: 'start' }),
  alibi({ slope: 'given', distance: 'absolute', align: 'start' }),
  bias(),
  gaussianWindow({ align: 'end' }),
  gaussianWindow({ center: 'given', sigma: 2 }),
  learnedScale(),
  learnedScale({ per: 'head' }),
  relativeBuckets({ buckets: 8, maxDistance: 5, align: 'start' }),
  relativeBuckets({ bidirectional: false, buckets: 3, maxDistance: 4, align: 'end' }),
  relativeGrid({ height: 2, width: 3 }),
  relativeTable({ max: 2, align: 'start' }),
  softcap({ cap: 2 }),
  temperature(),
]) {
  modifierLaws(modifier, { describe, it });
}

// As many vectors as there must be: an odd number.
modifierLaws(relativeKeys({ align: 'start' }), { describe, it }, { sizes: { distances: 5 } });
modifierLaws(relativeKeys({ scale: 1, align: 'end' }), { describe, it }, { sizes: { distances: 1 } });

for (const reweight of [localGaussian(), localGaussian({ sigma: 1, window: 1.5 })]) {
  reweightLaws(reweight, { describe, it });
}
