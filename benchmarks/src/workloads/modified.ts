// Scaled dot products with a mask or a modifier in between: what flex_attention compiles and heed composes.

import { WINDOW } from '../task.ts';
import { attentionOver, DENSE, type Workload, workOf } from '../workload.ts';

const long = attentionOver(4096, { mask: 'window' });
const inWindow = 4096 * WINDOW - (WINDOW * (WINDOW - 1)) / 2;
const softcap = attentionOver(1024, { modifier: 'softcap' });
const alibi = attentionOver(1024, { modifier: 'alibi' });

export const modified: readonly Workload[] = [
  {
    id: 'window-4096',
    title: 'causal window of 256, 4096',
    task: long,
    work: workOf(long, inWindow),
    without: { tfjs: DENSE },
  },
  { id: 'softcap-1024', title: 'softcap 20, 1024', task: softcap, work: workOf(softcap) },
  { id: 'alibi-1024', title: 'ALiBi, 1024', task: alibi, work: workOf(alibi) },
];
