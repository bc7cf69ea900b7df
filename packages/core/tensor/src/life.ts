// What ends: the part of a tensor that outlives no use of it. Kept apart from the tensor so that a finalizer, a scope
// or a graph can hold it without keeping the tensor itself reachable.

import type { Device } from './device.ts';
import type { Scope } from './scope.ts';
import type { Storage } from './storage.ts';
import type { Edge } from './tape/node.ts';
import type { Tensor } from './tensor.ts';

export interface Life {
  readonly device: Device;
  storage: Storage;
  /** Where gradients of this tensor flow: a node of the graph, the tensor itself if it is a leaf, or nowhere. */
  edge: Edge | null;
  /** Accumulated on leaves; belongs to the leaf and ends with it. */
  gradient: Tensor | null;
  /** Who ends it, if nobody does so before. */
  scope: Scope | null;
  ended: boolean;
}

/** Ends a tensor: once, whoever asks. Memory that a graph or a view still needs stays. */
export function endLife(life: Life): void {
  if (life.ended) return;
  life.ended = true;
  life.device.forget(life);
  life.scope?.release(life);
  life.storage.release();
  if (life.edge?.kind === 'node') life.edge.node.release();
  life.edge = null;
  life.gradient?.dispose();
  life.gradient = null;
}
