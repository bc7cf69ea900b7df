// Forward and backward, from a given gradient of the result to the gradients of everything that went in.

import { attentionOver, type Workload, workOf } from '../workload.ts';

const full = attentionOver(1024, { gradient: true });
const causal = attentionOver(1024, { gradient: true, mask: 'causal' });
const additive = attentionOver(512, {
  gradient: true,
  score: 'additive',
  shape: { heads: 1, feature: 128 },
});

export const gradients: readonly Workload[] = [
  { id: 'backward-full-1024', title: 'forward + backward, full, 1024', task: full, work: workOf(full) },
  {
    id: 'backward-causal-1024',
    title: 'forward + backward, causal, 1024',
    task: causal,
    work: workOf(causal),
  },
  {
    id: 'backward-additive-512',
    title: 'forward + backward, additive [1, 512, 512, 128]',
    task: additive,
  },
];
