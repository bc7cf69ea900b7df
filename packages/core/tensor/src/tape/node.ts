// A node of the graph that gradients flow back through: one recorded operation. Nodes hang on tensors; there is no tape
// but the graph itself, so what no tensor and no later node refers to is gone.

import type { DType } from '../contract/dtype.ts';
import type { Life } from '../life.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Where a gradient goes: to an output of a node, or into a leaf. */
export type Edge =
  | { readonly kind: 'node'; readonly node: GraphNode; readonly output: number }
  | { readonly kind: 'leaf'; readonly life: Life };

/**
 * Gradients of the outputs to gradients of the inputs, in their order; null stands for zero, in both. `saved` are the
 * tensors that were recorded as saved; `wanted` tells for which inputs a gradient is used at all.
 */
export type Vjp = (
  upstream: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  wanted: readonly boolean[],
) => readonly (Tensor | null)[];

/** What a gradient has to look like: that of the tensor it belongs to. */
export interface Signature {
  readonly shape: Shape;
  readonly dtype: DType;
}

export class GraphNode {
  readonly name: string;
  /** Nodes are played from the highest order to the lowest. */
  readonly order: number;
  readonly edges: readonly (Edge | null)[];
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
  readonly vjp: Vjp;
  /** Views of its own, so that what was saved can be read even if the user has disposed it. */
  readonly saved: readonly Tensor[];
  /** `ready` to be played; `played` once, without `keep`; `dropped` when nothing can ask for it any more. */
  state: 'ready' | 'played' | 'dropped' = 'ready';
  #references = 0;

  constructor(
    name: string,
    order: number,
    edges: readonly (Edge | null)[],
    inputs: readonly Signature[],
    outputs: readonly Signature[],
    vjp: Vjp,
    saved: readonly Tensor[],
  ) {
    this.name = name;
    this.order = order;
    this.edges = edges;
    this.inputs = inputs;
    this.outputs = outputs;
    this.vjp = vjp;
    this.saved = saved;
    for (const edge of edges) if (edge?.kind === 'node') edge.node.retain();
  }

  retain(): void {
    this.#references++;
  }

  /** Gives up one reference; the last one drops the node, and with it whatever only it referred to. */
  release(): void {
    // A list instead of recursion: a long recurrence would overflow the call stack.
    const releases: GraphNode[] = [this];
    for (let node = releases.pop(); node; node = releases.pop()) {
      if (--node.#references > 0) continue;
      if (node.state === 'ready') for (const tensor of node.saved) tensor.dispose();
      node.state = 'dropped';
      for (const edge of node.edges) if (edge?.kind === 'node') releases.push(edge.node);
    }
  }

  /** Frees what was saved; playing the node again is an error from here on. */
  finish(): void {
    if (this.state !== 'ready') return;
    this.state = 'played';
    for (const tensor of this.saved) tensor.dispose();
  }
}
