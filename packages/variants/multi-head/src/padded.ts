// An attention whose keys may end before the longest of them.

import { type Attend, type AttendCall, type AttentionOptions, attention } from '@heed/attention';
import { padding } from '@heed/masks';
import type { Tensor } from '@heed/tensor';

/** How many rows each batch entry has, int32 [batch]; all of them if there is none. */
export type Lengths = Tensor | undefined;

/** The attention for a call, and what the call takes: masked where lengths are given. */
export interface Padded {
  readonly attend: Attend;
  readonly call: AttendCall;
}

export function paddedAttention(
  options: Omit<AttentionOptions, 'mask'>,
): (lengths: Lengths, call?: AttendCall) => Padded {
  const whole = attention(options);
  const cut = attention({ ...options, mask: padding() });
  return (lengths, call = {}) =>
    lengths ? { attend: cut, call: { ...call, inputs: { lengths } } } : { attend: whole, call };
}
