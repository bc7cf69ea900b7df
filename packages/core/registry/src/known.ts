// Which package a part comes with, for the message of a name that is not registered. Checked against the packages by
// the test of `heed`, which has them all.

import type { Kind } from './plugin.ts';

const known: Readonly<Record<Kind | 'variant' | 'backend', Readonly<Record<string, readonly string[]>>>> = {
  score: {
    '@heed/scores': [
      ...[
        'additive',
        'combination',
        'concat',
        'cosine',
        'coverage',
        'dot',
        'gaussian',
        'general',
        'l2-distance',
      ],
      ...['laplace', 'linear', 'location-base', 'location-sensitive', 'mlp', 'scaled-dot', 'trilinear'],
    ],
  },
  modifier: {
    '@heed/masks': [
      ...['alibi', 'bias', 'gaussian-window', 'learned-scale', 'relative-buckets', 'relative-grid'],
      ...['relative-keys', 'relative-table', 'softcap', 'temperature'],
    ],
    '@heed/normalizers': ['gumbel'],
  },
  mask: {
    '@heed/masks': [
      ...[
        'allowed',
        'bias-allows',
        'block-local',
        'causal',
        'dilated',
        'document',
        'fixed-sparse',
        'full',
        'global-prefix',
        'global-window',
        'local',
      ],
      ...['neighborhood', 'padding', 'prefix', 'query-padding', 'random-blocks', 'strided', 'window'],
    ],
  },
  normalizer: {
    '@heed/normalizers': [
      ...[
        'adaptive-entmax',
        'entmax',
        'entmax-1.5',
        'hard',
        'identity',
        'relu',
        'sigmoid',
        'softmax',
        'sparsemax',
      ],
    ],
  },
  reweight: { '@heed/masks': ['local-gaussian'] },
  variant: {
    '@heed/additive': ['additive'],
    '@heed/local': ['local', 'neighborhood'],
    '@heed/multi-head': ['bidirectional', 'co-attention', 'multi-head'],
    '@heed/multiplicative': ['multiplicative'],
    '@heed/self': ['augmented-convolution', 'directional', 'feature-pooling', 'image', 'pooling', 'self'],
  },
  backend: { '@heed/cpu': ['cpu'], '@heed/reference': ['reference'], '@heed/webgpu': ['webgpu'] },
};

/** The package that has a part, variant or backend of this name. */
export const packageOf = (kind: Kind | 'variant' | 'backend', name: string): string | undefined =>
  Object.entries(known[kind]).find(([, names]) => names.includes(name))?.[0];
