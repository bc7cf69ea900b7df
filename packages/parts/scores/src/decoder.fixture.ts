// A normalizer for tests that attend, so that scores need no package of normalizers.

import { defineNormalizer } from '@heed/attention';
import { exp, sub } from '@heed/expr';

export const softmaxOf = defineNormalizer({
  name: 'softmax-of',
  weight: ({ score, level }) => exp(sub(score, level)),
  level: 'log-sum-exp',
});
