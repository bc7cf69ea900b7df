// Reverse mode: plays the graph of a tensor backwards, once for each node, latest first.

import { ones } from '../create.ts';
import { DisposedError, DTypeError, GradientError, ShapeError } from '../errors.ts';
import type { Life } from '../life.ts';
import { add } from '../ops/arithmetic.ts';
import { cast } from '../ops/cast.ts';
import { copy } from '../ops/copy.ts';
import { scope, unscoped } from '../scope.ts';
import { describeShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { Edge, GraphNode, Signature } from './node.ts';
import { withoutGradients } from './recording.ts';

export interface BackwardOptions {
  /** Keeps what the graph saved, so that it can be played again. */
  readonly keep?: boolean;
}

/** See `Tensor.backward`. */
export function backward(root: Tensor, gradient: Tensor | null, { keep = false }: BackwardOptions): void {
  const where = 'backward';
  root.use(where);
  const seed = seedOf(where, root, gradient);
  const found = play(where, root, seed, keep);
  try {
    for (const [life, added] of found) {
      found.delete(life);
      if (life.ended) {
        added.dispose();
        continue;
      }
      const before = life.gradient;
      life.gradient = before ? accumulate(before, added) : owned(added);
    }
  } finally {
    for (const unused of found.values()) unused.dispose();
  }
}

/**
 * Gradients of `root` with respect to the leaves among `wanted`, or all leaves. The caller owns the results. A leaf
 * that `root` does not depend on is missing.
 */
export function play(
  where: string,
  root: Tensor,
  seed: Tensor,
  keep: boolean,
  wanted?: ReadonlySet<Life>,
): Map<Life, Tensor> {
  const { device } = root;
  const atNodes = new Map<GraphNode, (Tensor | null)[]>();
  const atLeaves = new Map<Life, Tensor>();
  // Whoever is in these maps is a handle of ours alone, outside every scope.
  const join = (before: Tensor | null | undefined, given: Tensor): Tensor => {
    const own = unscoped(device, () => given.detach());
    return before ? accumulate(before, own) : own;
  };
  const flow = (edge: Edge | null, given: Tensor): void => {
    if (edge?.kind === 'leaf') {
      atLeaves.set(edge.life, join(atLeaves.get(edge.life), given));
    } else if (edge) {
      const slots = atNodes.get(edge.node) ?? edge.node.outputs.map(() => null);
      slots[edge.output] = join(slots[edge.output], given);
      atNodes.set(edge.node, slots);
    }
  };

  const run = (): void => {
    const nodes = graphOf(where, root, wanted);
    if (leads(root.life.edge, nodes, wanted)) flow(root.life.edge, seed);
    for (const node of [...nodes].sort((a, b) => b.order - a.order)) {
      const upstream = atNodes.get(node);
      if (upstream) {
        const needs = node.edges.map((edge) => leads(edge, nodes, wanted));
        scope(device, () => {
          const given = node.vjp(upstream, node.saved, needs);
          for (const [i, edge] of node.edges.entries()) {
            const one = given[i];
            if (one && needs[i]) flow(edge, checked(node, i, one));
          }
        });
        for (const one of upstream) one?.dispose();
        atNodes.delete(node);
      }
      if (!keep) node.finish();
    }
  };

  try {
    withoutGradients(device, run);
  } catch (problem) {
    for (const slots of atNodes.values()) for (const one of slots) one?.dispose();
    for (const one of atLeaves.values()) one.dispose();
    throw problem;
  } finally {
    seed.dispose();
  }
  return atLeaves;
}

/** The gradient that a backward pass begins with: a handle of its own. */
export function seedOf(where: string, root: Tensor, gradient: Tensor | null): Tensor {
  if (!root.tracked) {
    throw new GradientError(
      `${where}: ${root} does not depend on anything tracked. Mark what to differentiate with parameter(tensor), and compute ` +
        'with it outside withoutGradients. Gradients themselves are not tracked: gradients of gradients are not available.',
    );
  }
  if (!gradient) {
    if (root.size === 1)
      return unscoped(root.device, () => ones(root.device, root.shape, { dtype: root.dtype }));
    throw new ShapeError(
      `${where}: expected a tensor of one element, got ${root}. Reduce it first (sum(...), mean(...)), or pass the gradient of ` +
        `what you go on to compute, of shape ${describeShape(root.shape)}.`,
    );
  }
  if (gradient.tracked) {
    throw new GradientError(
      `${where}: the gradient passed in is tracked, but backward is not itself recorded: gradients of gradients are not ` +
        'available. Pass gradient.detach().',
    );
  }
  if (!sameShape(gradient.shape, root.shape)) {
    throw new ShapeError(
      `${where}: expected a gradient of shape ${describeShape(root.shape)}, as the tensor, got ${describeShape(gradient.shape)}.`,
    );
  }
  if (gradient.dtype !== root.dtype) {
    throw new DTypeError(
      `${where}: expected a gradient of ${root.dtype}, as the tensor, got ${gradient.dtype}. Convert it with cast(gradient, '${root.dtype}').`,
    );
  }
  return unscoped(root.device, () => gradient.detach());
}

/** The nodes that the root was made by; those only that lead to wanted leaves. */
function graphOf(where: string, root: Tensor, wanted?: ReadonlySet<Life>): ReadonlySet<GraphNode> {
  const found = new Set<GraphNode>();
  const stack = [root.life.edge];
  while (stack.length > 0) {
    const edge = stack.pop();
    if (edge?.kind !== 'node' || found.has(edge.node)) continue;
    found.add(edge.node);
    stack.push(...edge.node.edges);
  }
  const useful = new Set<GraphNode>();
  for (const node of [...found].sort((a, b) => a.order - b.order)) {
    if (node.edges.some((edge) => leads(edge, useful, wanted))) useful.add(node);
  }
  for (const node of useful) {
    if (node.state === 'ready') continue;
    throw new DisposedError(
      `${where}: this graph was played before ("${node.name}" has released what it saved). Compute the loss again, or keep ` +
        'the graph the first time: backward({ keep: true }).',
    );
  }
  return useful;
}

function leads(edge: Edge | null, nodes: ReadonlySet<GraphNode>, wanted?: ReadonlySet<Life>): boolean {
  if (!edge) return false;
  return edge.kind === 'node' ? nodes.has(edge.node) : !wanted || wanted.has(edge.life);
}

/** A gradient as the input looks, whatever the vjp's author computed in. */
function checked(node: GraphNode, input: number, gradient: Tensor): Tensor {
  const { shape, dtype } = node.inputs[input] as Signature;
  if (!sameShape(gradient.shape, shape)) {
    throw new ShapeError(
      `backward: the vjp of "${node.name}" gave a gradient of shape ${describeShape(gradient.shape)} for input ${input}, ` +
        `expected ${describeShape(shape)}.`,
    );
  }
  return gradient.dtype === dtype ? gradient : cast(gradient, dtype);
}

/** The sum of two gradients that are ours, in their place. If it cannot be had, the first stays as it was. */
function accumulate(before: Tensor, added: Tensor): Tensor {
  try {
    const sum = withoutGradients(before.device, () => unscoped(before.device, () => add(before, added)));
    before.dispose();
    return sum;
  } finally {
    added.dispose();
  }
}

/** A gradient as a leaf keeps it: packed, and holding no larger buffer alive. */
function owned(gradient: Tensor): Tensor {
  if (gradient.contiguous && gradient.offset === 0) return gradient;
  try {
    return withoutGradients(gradient.device, () => unscoped(gradient.device, () => copy(gradient)));
  } finally {
    gradient.dispose();
  }
}
