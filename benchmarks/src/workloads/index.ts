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

export const workloadOf = (id: string): Workload => {
  const found = workloads.find((one) => one.id === id);
  if (!found) throw new Error(`There is no workload "${id}".`);
  return found;
};
