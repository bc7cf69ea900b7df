import { modifierLaws, normalizerLaws } from '@heed/testing';
import { describe, it } from 'vitest';
import { adaptiveEntmax } from './adaptive-entmax.ts';
import { entmax } from './entmax.ts';
import { entmax15 } from './entmax-15.ts';
import { gumbel } from './gumbel.ts';
import { hard } from './hard.ts';
import { identity } from './identity.ts';
import { relu } from './relu.ts';
import { sigmoid } from './sigmoid.ts';
import { softmax } from './softmax.ts';
import { sparsemax } from './sparsemax.ts';

for (const normalizer of [
  adaptiveEntmax(),
  entmax({ alpha: 1.25 }),
  entmax({ alpha: 3 }),
  entmax15(),
  hard(),
  relu({ divisor: 4 }),
  sigmoid({ shift: -1 }),
  sigmoid({ bias: 'learned' }),
  softmax(),
  softmax({ sink: 'zero' }),
  softmax({ sink: 'learned' }),
  softmax({ sink: 'given' }),
  sparsemax(),
]) {
  normalizerLaws(normalizer, { describe, it });
}

modifierLaws(gumbel({ gumbelSeed: 3 }), { describe, it });

// The one law that a weight of any sign need not keep.
normalizerLaws(
  identity(),
  { describe, it },
  { skip: [{ law: 'weights are not negative', reason: 'weights are the scores, negative ones included' }] },
);
