// What the gradient of an attention does, from its program alone: which sums a row needs, and what each pair gives to
// which input.

import { asNode, type Node } from '@heed/expr';
import type { AttendGradientProgram, AttendInput, Partials } from '@heed/tensor';
import { type SideName, sideOf, sizeIn, widthOf } from '../attend/layout.ts';

export type Stage = keyof Partials;

/** What a pair gives to an input: the lanes of `value` times how the loss changes with the stage. */
export interface Part {
  readonly stage: Stage;
  readonly target: Target;
  readonly value: Node;
  /** The entry of a table that it belongs to. */
  readonly indices: readonly Node[];
}

/** An input whose gradient is asked for. */
export interface Target {
  readonly name: string;
  /** The name of the memory where its gradient gathers. */
  readonly gathered: string;
  readonly input: AttendInput;
  readonly side: SideName;
  readonly sizes: readonly number[];
  /** Numbers of one place. */
  readonly width: number;
  /** Whether sums are kept with queries as lanes until the block of queries is done: [number][8]. */
  readonly kept: boolean;
}

/** How the sums over a row come about: not needed, from the context alone, or by going through the keys once more. */
export type Sums = 'none' | 'context' | 'sweep';

export interface GradientDesign {
  readonly program: AttendGradientProgram;
  readonly targets: readonly Target[];
  readonly pair: readonly Part[];
  readonly sink: readonly Part[];
  /** Where the gradient of the value gathers; null where nobody asks. */
  readonly value: Target | null;
  /** Whether a level is given, and whether it moves when scores do. */
  readonly solved: boolean;
  readonly moving: boolean;
  readonly sums: Sums;
  /** The sizes of the value's dims, and how many numbers they make. */
  readonly features: readonly number[];
  readonly width: number;
  /** Over how many queries and keys weights were pooled. */
  readonly pool: number;
}

export function designOf(program: AttendGradientProgram): GradientDesign {
  const { of, wrt, upstream, partials } = program;
  const { by } = of.normalizer.level;
  const targets = wrt.map((name) => targetOf(program, name));
  const moving = by === 'root' || by === 'log-sum-exp';
  const partsOf = (stages: readonly Stage[]): Part[] =>
    targets.flatMap((target) =>
      stages.flatMap((stage) => {
        const partial = partials[target.name]?.[stage];
        // A weight that its score does not move passes nothing on.
        if (!partial || ((stage === 'score' || stage === 'sink') && !program.weightByScore)) return [];
        return entriesOf(asNode(partial)).map(([value, ...indices]) => ({ stage, target, value, indices }));
      }),
    );
  const pair = partsOf(['score', 'reweight', 'weight']);
  const sink = of.normalizer.sink && moving ? partsOf(['sink', 'weight']) : [];
  const needed = moving && (sink.length > 0 || pair.some(({ stage }) => stage !== 'reweight'));
  // Weights by log-sum-exp sum to one, and each falls with the level as fast as it is large: the sums are -1 and minus
  // the gradient of context . context (Dao et al. 2022). A context of 16 bits would not say it closely enough.
  const short = by === 'log-sum-exp' && !upstream.weights && of.dtype === 'float32';
  const { dims } = (of.inputs[of.value] as AttendInput).type;
  return {
    program,
    targets,
    pair,
    sink,
    value: upstream.context ? (targets.find(({ name }) => name === of.value) ?? null) : null,
    solved: by !== 'none',
    moving,
    sums: !needed ? 'none' : short ? 'context' : 'sweep',
    features: dims.map((dim) => sizeIn(of, dim)),
    width: widthOf(of, of.value),
    pool: typeof of.keep.weights === 'object' ? of.keep.weights.pool : 1,
  };
}

function targetOf({ of }: AttendGradientProgram, name: string): Target {
  const input = of.inputs[name] as AttendInput;
  const side = sideOf(input.along);
  return {
    name,
    gathered: `grad:${name}`,
    input,
    side,
    sizes: input.type.dims.map((dim) => sizeIn(of, dim)),
    width: widthOf(of, name),
    kept: input.type.lookups === 0 && (side === 'query' || side === 'shared'),
  };
}

/** A partial as values and the indices of the entries they belong to; one that is no table has no index. */
export function entriesOf(partial: Node): (readonly [Node, ...Node[]])[] {
  if (partial.type.lookups === 0) return [[partial]];
  if (partial.op === 'add') return partial.args.flatMap(entriesOf);
  return [partial.args as unknown as readonly [Node, ...Node[]]];
}
