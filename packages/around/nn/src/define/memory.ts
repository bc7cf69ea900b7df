// What a decoder looks at, and where it stands: the memory of an encoder's states, projected once, and the decoder's rows.

import { ShapeError, type Tensor } from '@heed/tensor';

/** States that were made ready to be attended to, once for all steps. */
export interface Memory {
  readonly kind: 'memory';
  /** [batch, key, feature]. */
  readonly key: Tensor;
  /** [batch, key, memoryWidth]. */
  readonly value: Tensor;
  /** Frees the projected keys; the states belong to who gave them. */
  dispose(): void;
}

/**
 * Makes memories of states [batch, key, memoryWidth], and of what is averaged in their place if that is given.
 *
 * @param where the layer, for errors.
 * @param project makes keys of states; null where they are the keys.
 */
export const remembering =
  (where: string, memoryWidth: number, project: ((states: Tensor) => Tensor) | null) =>
  (memory: Tensor, value: Tensor = memory): Memory => {
    if (memory.rank !== 3 || memory.shape[2] !== memoryWidth)
      throw new ShapeError(
        `${where}: memory expects [batch, key, memoryWidth] with a width of ${memoryWidth}, got [${memory.shape.join(', ')}].`,
      );
    const key = project ? project(memory) : memory;
    return { kind: 'memory', key, value, dispose: () => (project ? key.dispose() : undefined) };
  };

/** A decoder's rows [batch, query, queryWidth], and whether a step [batch, queryWidth] was given. */
export function decoderRows(
  where: string,
  query: Tensor,
  queryWidth: number,
): { rows: Tensor; step: boolean } {
  const step = query.rank === 2;
  if ((!step && query.rank !== 3) || query.shape.at(-1) !== queryWidth)
    throw new ShapeError(
      `${where}: query expects [batch, queryWidth] or [batch, query, queryWidth] with a width of ${queryWidth}, got [${query.shape.join(', ')}].`,
    );
  return { rows: step ? query.unsqueeze(1) : query, step };
}
