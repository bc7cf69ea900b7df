// The door through which an operation tells how gradients flow back through it.

import type { Device } from '../device.ts';
import { GradientError } from '../errors.ts';
import { unscoped } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { type Edge, GraphNode, type Vjp } from './node.ts';

/** One operation as the graph knows it. */
export interface Operation {
  /** For messages. */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  /** Fresh results of the operation; one that is already part of a graph cannot be an output again. */
  readonly outputs: readonly Tensor[];
  /**
   * What `vjp` reads: inputs, outputs or anything else. The graph holds views of its own of these until it has been
   * played, so they may be disposed by anybody. A vjp reads tensors from here only, never from its closure.
   */
  readonly saved?: readonly Tensor[];
  readonly vjp: Vjp;
}

/** Whether an operation on these inputs would be recorded: an operation that saves more for its gradient asks first. */
export const isRecording = (device: Device, inputs: readonly Tensor[]): boolean =>
  device.current.recording && inputs.some((input) => input.tracked);

/**
 * Records an operation, so that `backward` can go through it. Does nothing if no input is tracked or gradients are off.
 *
 * The gradients that `vjp` returns have the shapes and dtypes of the inputs. It runs with recording off, inside a scope
 * of its own: temporaries need no disposing, and a returned tensor may be an upstream one, a view of it, or a new one.
 *
 * @throws GradientError for an output that is tracked already.
 */
export function record(device: Device, { name, inputs, outputs, saved = [], vjp }: Operation): void {
  if (!isRecording(device, inputs)) return;
  for (const output of outputs) {
    if (!output.tracked) continue;
    throw new GradientError(
      `${name}: expected fresh results to record, got ${output}, which has a gradient already. Compute results inside ` +
        'withoutGradients(device, () => ...).',
    );
  }
  const edges: (Edge | null)[] = inputs.map((input) => input.life.edge);
  const node = new GraphNode(
    name,
    device.nextOrder(),
    edges,
    inputs.map(({ shape, dtype }) => ({ shape, dtype })),
    outputs.map(({ shape, dtype }) => ({ shape, dtype })),
    vjp,
    unscoped(device, () => saved.map((tensor) => tensor.detach())),
  );
  for (const [output, tensor] of outputs.entries()) {
    node.retain();
    tensor.life.edge = { kind: 'node', node, output };
  }
}
