// How the work of a gradient is shared out among units, and in how many copies gradients gather for it: one for each unit
// that does not write to places of its own.

import type { AttendInput, Axis } from '@heed/tensor';
import { axisNames } from '../attend/formula.ts';
import { product } from '../geometry.ts';
import type { Target } from './design.ts';
import { QUERIES } from './layout.ts';

export type Lengths = Readonly<Record<Axis, number>>;

/** Units along each axis: as many as it is long, or one that goes through all of it. Blocks of queries go round the chunks. */
export interface Shares {
  readonly batches: number;
  readonly keyHeads: number;
  readonly chunks: number;
}

/** Units for each thread, so that an uneven one does not hold up the rest. */
const UNITS = 4;
/** Copies may take so many bytes, or a few times what the gradients themselves take. */
const BYTES = 2 ** 26;
const TIMES = 4;

/** @param shapes of the targets, by name. */
export function sharesOf(
  targets: readonly Target[],
  shapes: (name: string) => readonly number[],
  lengths: Lengths,
  threads: number,
): Shares {
  const { batch, keyHead, query } = lengths;
  const blocks = Math.max(1, Math.ceil(query / QUERIES));
  const options = [
    [batch, keyHead],
    [1, keyHead],
    [batch, 1],
    [1, 1],
  ].map(([batches = 1, keyHeads = 1]): Shares => {
    const units = Math.max(1, batches * keyHeads);
    const even = threads === 1 || units % threads === 0;
    return { batches, keyHeads, chunks: even ? 1 : Math.min(blocks, Math.ceil((UNITS * threads) / units)) };
  });
  const bytes = (shares: Shares): number =>
    targets.reduce((all, target) => {
      const shape = shapes(target.name);
      return all + copiesOf(target, shape, shares).copies * product(shape) * 4;
    }, 0);
  const once = targets.reduce((all, { name }) => all + product(shapes(name)) * 4, 0);
  const most = Math.max(BYTES, TIMES * once);
  const found = options.find((shares) => bytes(shares) <= most);
  return found ?? options.reduce((best, one) => (bytes(one) < bytes(best) ? one : best));
}

/** Strides along batch, head, keyHead, query, key, and then the tensor's own. */
export function spread(strides: readonly number[], along: AttendInput['along']): number[] {
  const on = axisNames.map((axis) => strides[along.indexOf(axis)] ?? 0);
  return [...on, ...strides.slice(along.length)];
}

/** How many copies of a gradient there are, and the bytes between elements, and between those of neighbouring chunks. */
export function copiesOf(
  { input: { along } }: Target,
  shape: readonly number[],
  shares: Shares,
): { readonly copies: number; readonly chunk: number; readonly strides: readonly number[] } {
  const count = product(shape) * 4;
  const own = shape.map((_, axis) => product(shape.slice(axis + 1)) * 4);
  const strides = spread(own, along);
  const chunks = along.includes('query') ? 1 : shares.chunks;
  const keyHeads = along.includes('head') || along.includes('keyHead') ? 1 : shares.keyHeads;
  const batches = along.includes('batch') ? 1 : shares.batches;
  // Batch and head of keys are the axes 0 and 2.
  if (keyHeads > 1) strides[2] = count * chunks;
  if (batches > 1) strides[0] = count * chunks * keyHeads;
  const none = shares.batches * shares.keyHeads === 0;
  return { copies: none ? 0 : chunks * keyHeads * batches, chunk: chunks > 1 ? count : 0, strides };
}
