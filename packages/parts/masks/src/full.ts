// Every key for every query.

import { defineMask } from '@heed/attention';

/**
 * Allows every pair: what an attention without a mask does, by name.
 *
 * @example attention({ score: dot(), mask: full(), normalizer: softmax() })
 */
export const full = defineMask({ name: 'full', allowed: () => true });
