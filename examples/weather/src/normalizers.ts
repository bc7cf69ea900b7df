// Normalizers, by the names that heed knows them by.

export const normalizerKinds = {
  softmax: { label: 'softmax', about: 'In proportion to exp(score): every key keeps some weight.' },
  sparsemax: {
    label: 'sparsemax',
    about:
      'max(score - level, 0): most keys get none. Of a gaussian score it makes the kernel of Epanechnikov.',
  },
  'entmax-1.5': { label: 'entmax-1.5', about: 'Between the two: sparse, and smooth where it ends.' },
  sigmoid: {
    label: 'sigmoid',
    about:
      'Each key for itself: a row sums to whatever it does. This is no average, so the curve misses the points.',
  },
  hard: { label: 'hard', about: 'All weight on the best key: the nearest neighbour.' },
} as const;
export type NormalizerName = keyof typeof normalizerKinds;
