// Scores as weights.

import { defineNormalizer } from '@heed/attention';

/**
 * The score itself, negative ones included: attention without a normalizer, as in linear attention before its division
 * and in retention (Sun et al. 2023, arXiv 2307.08621).
 *
 * @example attention({ score: scaledDot(), mask: causal(), normalizer: identity() })
 */
export const identity = defineNormalizer({ name: 'identity', weight: ({ score }) => score, level: 'none' });
