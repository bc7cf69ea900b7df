// Alignments that move forward: each step begins where the one before ended.

import { chunkwise, monotonicAlignments } from '@heed/normalizers';
import { matmul } from '@heed/tensor';
import type { Family } from '../family.ts';

export const monotonic: Family = ({ attributes, inputs }) => {
  attributes.oneOf('initial_alignment', ['one-hot at 0']);
  const mode = attributes.choice('mode', ['soft', 'hard', 'mocha']);
  const value = inputs.tensor('value');
  const alignments = monotonicAlignments(inputs.tensor('energies'), {
    mode: mode === 'hard' ? 'hard' : 'recursive',
  });
  if (mode !== 'mocha') return { alignments, context: matmul(alignments, value) };
  const width = attributes.needed('chunk');
  const weights = chunkwise(alignments, inputs.tensor('chunk_energies'), { width });
  return { alignments, chunk_weights: weights, context: matmul(weights, value) };
};
