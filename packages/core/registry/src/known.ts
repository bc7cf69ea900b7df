// Which package a part comes with, for the message of a name that is not registered. Checked against the packages by
// the test of `heed`, which has them all.

import type { Kind } from './plugin.ts';

const known: Readonly<Record<Kind | 'backend', Readonly<Record<string, readonly string[]>>>> = {
  score: {
    '@heed/scores': [
      ...[
        'additive',
        'concat',
        'cosine',
        'dot',
        'gaussian',
        'general',
        'laplace',
        'linear',
        'scaled-dot',
        'trilinear',
      ],
    ],
  },
  modifier: { '@heed/masks': ['alibi', 'bias', 'learned-scale', 'relative-table', 'softcap', 'temperature'] },
  mask: {
    '@heed/masks': [
      ...[
        'allowed',
        'bias-allows',
        'block-local',
        'causal',
        'dilated',
        'document',
        'full',
        'global-window',
        'local',
      ],
      ...['padding', 'prefix', 'query-padding', 'strided', 'window'],
    ],
  },
  normalizer: {
    '@heed/normalizers': [
      ...['entmax', 'entmax-1.5', 'hard', 'identity', 'relu', 'sigmoid', 'softmax', 'sparsemax'],
    ],
  },
  reweight: { '@heed/masks': ['local-gaussian'] },
  backend: { '@heed/cpu': ['cpu'], '@heed/reference': ['reference'], '@heed/webgpu': ['webgpu'] },
};

/** The package that has a part or backend of this name. */
export const packageOf = (kind: Kind | 'backend', name: string): string | undefined =>
  Object.entries(known[kind]).find(([, names]) => names.includes(name))?.[0];
