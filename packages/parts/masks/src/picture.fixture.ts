// Masks drawn as text, and modifiers and reweights put through single pairs: what the tests here check by eye and hand.

import type { Mask, Modifier, Reweight } from '@heed/attention';
import { type Expr, evaluate, HeedError, inputsOf, type Value } from '@heed/expr';

export interface Scene {
  readonly queries: number;
  readonly keys: number;
  readonly heads?: number;
  readonly batches?: number;
  /** The batch and head to look at; 0 if left out. */
  readonly batch?: number;
  readonly head?: number;
  /** Sizes of the dims of rows. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Side inputs at a pair, and uniforms of the call. */
  readonly given?: (query: number, key: number) => Readonly<Record<string, Value>>;
}

/** What a part gives for one pair; `score` is what a modifier starts from. */
export function at(
  part: Mask | Modifier | Reweight,
  scene: Scene,
  query: number,
  key: number,
  score = 0,
): number {
  const {
    queries,
    keys,
    heads = 1,
    batches = 1,
    batch = 0,
    head = 0,
    sizes = {},
    given = () => ({}),
  } = scene;
  const lengths = { queryLength: queries, keyLength: keys, heads, keyHeads: heads, batches };
  const complaint = part.refuse(lengths, part.sizes);
  if (complaint !== null) throw new TypeError(complaint);
  const values: Record<string, Value> = {
    ...{
      query,
      key,
      head,
      batch,
      heads,
      batches,
      score,
      queryLength: queries,
      keyLength: keys,
      keyHeads: heads,
      keyHead: head,
    },
    ...Object.fromEntries(Object.entries(part.uniforms).map(([name, { value }]) => [name, value])),
    ...given(query, key),
  };
  const body: Expr = part.body;
  const read = inputsOf([body]).map(({ data }) => data.name);
  return Number(
    evaluate(body, Object.fromEntries(Object.entries(values).filter(([name]) => read.includes(name))), {
      ...part.sizes,
      ...sizes,
    }),
  );
}

/** A row of text for each query: `#` where it may attend to the key, `.` where not. */
export const picture = (mask: Mask, scene: Scene): string[] =>
  Array.from({ length: scene.queries }, (_, query) =>
    Array.from({ length: scene.keys }, (_, key) => (at(mask, scene, query, key) === 1 ? '#' : '.')).join(''),
  );

/** The complaint about the lengths of a call, or the message of an error. */
export function message(run: () => unknown): string {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    if (problem instanceof TypeError) return problem.message;
    throw problem;
  }
  return 'nothing was thrown';
}
