// Where the gradients of an attention's inputs gather: each pair adds to the elements that it read.

import { asExpr, asNode, type Expr, type Node } from '@heed/expr';
import type { AttendGradientProgram, Partials } from '@heed/tensor';
import { type Follower, type Row, type Scene, startOf, type Tensor } from './scene.ts';

type Stage = keyof Partials;

/** A part of a partial: a value, and for a table the entry that it belongs to. */
interface Term {
  readonly stage: Stage;
  readonly target: Target;
  /** The root that is the value, and those that are the entry's indices. */
  readonly value: number;
  readonly entry: readonly number[];
}

interface Target {
  readonly tensor: Tensor;
  readonly gradient: Float64Array;
  start: number;
}

/** Partials that are computed together, and where they go. */
interface Group {
  readonly follower: Follower;
  readonly terms: readonly Term[];
}

export class Gradients {
  readonly #targets = new Map<string, Target>();
  readonly #pair: Group;
  readonly #sink: Group;

  constructor({ of, wrt, partials }: AttendGradientProgram, scene: Scene) {
    for (const name of wrt) {
      const tensor = scene.tensor(name);
      this.#targets.set(name, { tensor, gradient: new Float64Array(tensor.data.length), start: 0 });
    }
    const group = (stages: readonly Stage[]): Group => {
      const roots: Expr[] = [];
      const terms: Term[] = [];
      for (const name of wrt) {
        for (const stage of stages) {
          const partial = partials[name]?.[stage];
          if (!partial) continue;
          for (const [value, ...indices] of entriesOf(asNode(partial))) {
            const target = this.#targets.get(name)!;
            const first =
              roots.push(asExpr(value), ...indices.map((node) => asExpr(node))) - 1 - indices.length;
            terms.push({ stage, target, value: first, entry: indices.map((_, i) => first + 1 + i) });
          }
        }
      }
      return { follower: scene.follow(roots), terms };
    };
    this.#pair = group(['score', 'reweight', 'weight']);
    this.#sink = group(of.normalizer.sink ? ['sink', 'weight'] : []);
  }

  /** The gradient of an input, row-major. */
  of(name: string): Float64Array {
    return this.#targets.get(name)!.gradient;
  }

  toRow(row: Row): void {
    for (const target of this.#targets.values()) target.start = startOf(target.tensor, row);
    this.#pair.follower.toRow(row);
    this.#sink.follower.toRow(row);
  }

  /** Adds each partial of a pair, times how the loss changes with its stage. */
  addPair(key: number, by: Readonly<Record<'score' | 'reweight' | 'weight', number>>): void {
    this.#pair.follower.toKey(key);
    this.#add(this.#pair, key, by);
  }

  addSink(by: Readonly<Record<'sink' | 'weight', number>>): void {
    this.#add(this.#sink, 0, by);
  }

  #add({ follower, terms }: Group, key: number, by: Readonly<Partial<Record<Stage, number>>>): void {
    if (terms.length === 0) return;
    follower.run();
    for (const { stage, target, value, entry } of terms) {
      const { tensor, gradient } = target;
      let to = target.start + key * tensor.steps.key;
      const inside = entry.every((root, axis) => {
        const i = follower.number(root);
        to += i * tensor.lookupSteps[axis]!;
        return i >= 0 && i < tensor.lookups[axis]!;
      });
      // As reading outside a table gives zero, changing it there changes nothing.
      if (!inside) continue;
      const { data, offset, rows, columns, rowStride, columnStride } = follower.view(value);
      const factor = by[stage]!;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, to++) {
          gradient[to] = gradient[to]! + factor * data[offset + row * rowStride + column * columnStride]!;
        }
      }
    }
  }
}

/** A partial as values and the indices of the entries they belong to; a partial that is no table has one and no index. */
function entriesOf(partial: Node): (readonly [Node, ...Node[]])[] {
  if (partial.type.lookups === 0) return [[partial]];
  if (partial.op === 'add') return partial.args.flatMap(entriesOf);
  return [partial.args as unknown as readonly [Node, ...Node[]]];
}
