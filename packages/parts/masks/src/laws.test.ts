import { maskLaws, modifierLaws } from '@heed/testing';
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
  full,
  globalWindow,
  learnedScale,
  local,
  padding,
  prefix,
  queryPadding,
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
  causal(),
  causal({ align: 'start' }),
  causal({ align: 'end' }),
  causal({ align: 'lengths' }),
  causal({ offset: 2 }),
  dilated({ stride: 3, align: 'end' }),
  document(),
  full(),
  globalWindow({ window: 1, global: [0, 3], align: 'start' }),
  local({ window: 1.5 }),
  padding(),
  prefix({ align: 'end' }),
  queryPadding(),
  strided({ stride: 2, align: 'end' }),
  window({ left: 2, right: 1, align: 'end' }),
  allOf(document(), causal({ align: 'start' })),
  anyOf(window({ left: 1, right: 0, align: 'end' }), padding()),
  except(causal({ align: 'start' })),
]) {
  maskLaws(mask, { describe, it });
}

for (const modifier of [
  alibi({ slope: 'given', align: 'end' }),
  alibi({ slope: 'given', distance: 'absolute', align: 'start' }),
  bias(),
  learnedScale(),
  learnedScale({ per: 'head' }),
  relativeTable({ max: 2, align: 'start' }),
  softcap({ cap: 2 }),
  temperature(),
]) {
  modifierLaws(modifier, { describe, it });
}
