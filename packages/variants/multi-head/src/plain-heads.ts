// Heads that do not know of each other: one fused attention.

import type { Attended, AttentionOptions, Part } from '@heed/attention';
import { attended, attending, type Builder, type PartSizes, type PartsCall } from '@heed/nn';
import type { Tensor, WeightsRequest } from '@heed/tensor';

/** Attention over heads, [batch, head, length, feature]. */
export interface HeadsAttention {
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: PartsCall & { readonly weights?: WeightsRequest },
  ): Attended;
  readonly parts: readonly Part[];
}

export function plainHeads(build: Builder, options: AttentionOptions, of: PartSizes): HeadsAttention {
  const { attend, call } = attending(build, 'attention', options, of);
  return Object.assign(
    (...[query, key, value, given]: Parameters<HeadsAttention>) =>
      attended(attend, [query, key, value], call(given), given.weights),
    { parts: attend.parts },
  );
}
