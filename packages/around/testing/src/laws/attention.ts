// Whole attentions: what parts give together.

import type { AttentionOptions } from '@heed/attention';
import { flowsBack } from './gradient.ts';
import { type LawOptions, settle } from './options.ts';
import { agrees } from './value.ts';

export interface AttentionCheckOptions extends LawOptions {
  /** Whether gradients are compared too. */
  readonly gradients?: boolean;
}

/**
 * Runs an attention on random scenes and compares weights, context, level and, if asked, gradients with those of the definition.
 *
 * @throws an error with the seed, the scene and what differs.
 * @example await checkAttention({ score: dot(), mask: causal(), normalizer: softmax() }, { backend: cpu() });
 */
export async function checkAttention(
  options: AttentionOptions,
  { gradients = false, ...rest }: AttentionCheckOptions = {},
): Promise<void> {
  const subject = { options, roots: {}, settings: settle(rest) };
  await agrees(subject, ['weights', 'context', 'level']).check();
  if (gradients) await flowsBack(subject).check();
}
