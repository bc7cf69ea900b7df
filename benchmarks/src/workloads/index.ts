// The whole table.

import type { Workload } from '../workload.ts';
import { decoding } from './decode.ts';
import { gradients } from './gradients.ts';
import { modified } from './modified.ts';
import { products } from './products.ts';
import { scores } from './scores.ts';

export const workloads: readonly Workload[] = [
  ...products,
  ...modified,
  ...scores,
  ...gradients,
  ...decoding,
];
