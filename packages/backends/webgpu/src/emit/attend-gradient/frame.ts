// What a workgroup of a gradient has: the element or rows or keys whose gradient it sums, and the tiles of pairs that give to
// them. Batches and heads that an input does not lie along are gone through, as are the tiles of queries where it lies
// along none; they may be dealt out to several workgroups, whose sums are added later.

import { asExpr, type Expr } from '@heed/expr';
import type { Axis } from '@heed/tensor';
import { PairKernel } from '../attend/kernel.ts';
import { type Operand, offsetOf, sumOf, term } from '../attend/operand.ts';
import { leave } from '../attend/prefill.ts';
import { invocationsOf, keysOf, rowsOf } from '../attend/shape.ts';
import type { Stage as Memory } from '../attend/stage.ts';
import type { Machine } from '../machine.ts';
import type { Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { store } from '../storage.ts';
import { Backward, backwardRoots, type Changes } from './backward.ts';
import { formulasOf, type GradientDesign, SHAPE, type Target } from './design.ts';
import { type Given, givenRows, storedRows } from './known-rows.ts';

/** Coordinates along axes: i32 expressions. */
export type Place = Readonly<Partial<Record<Axis, string>>>;

/** Where a gradient is stored: the result itself, or parts of it in float32, each `total` elements long. */
export interface Destination {
  readonly operand: Operand;
  readonly parted: boolean;
}

export interface TargetOptions {
  readonly gradient: GradientDesign;
  readonly given: Given;
  readonly target: Target;
  readonly destination: Destination;
  /** Workgroups side by side along the numbers of one place, each with so many. */
  readonly blocks: number;
  readonly block: number;
  readonly machine: Machine;
}

/** What a workgroup knows before it looks at any pair. */
export class Frame {
  readonly shader: ShaderWriter;
  readonly options: TargetOptions;
  /** The first of the numbers of one place that are summed here. */
  readonly firstElement: string;
  readonly firstRow: string;
  readonly firstKey: string;
  readonly owner: Place;
  readonly chunk: string;
  /** The invocation's place in a tile. */
  readonly down: string;
  readonly across: string;
  #memory: Memory | undefined;

  constructor(shader: ShaderWriter, options: TargetOptions) {
    const { code } = shader;
    const { target, blocks, block } = options;
    const { along } = target.operand;
    this.shader = shader;
    this.options = options;
    let rest = 'group';
    const peel = (hint: string, size: string): string => {
      const at = code.let(hint, `${rest} % ${size}`);
      rest = code.let('rest', `${rest} / ${size}`);
      return at;
    };
    this.firstElement = blocks === 1 ? '0' : code.let('first', `${peel('block', String(blocks))} * ${block}`);
    this.firstKey = target.byKey
      ? code.let('first_key', `${peel('tile', shader.number('keyTiles'))} * ${keysOf(SHAPE)}`)
      : '0';
    this.firstRow = target.byQuery
      ? code.let('first_row', `${peel('tile', shader.number('tiles'))} * ${rowsOf(SHAPE)}`)
      : '0';
    const owner: Partial<Record<Axis, string>> = {};
    for (const [axis, length] of [
      ['keyHead', 'keyHeads'],
      ['head', 'heads'],
      ['batch', 'batches'],
    ] as const)
      if (along.includes(axis)) owner[axis] = peel(axis, shader.length(length));
    this.owner = owner;
    this.chunk = rest;
    this.down = code.let('down', `lid / ${SHAPE.across}`);
    this.across = code.let('across', `lid % ${SHAPE.across}`);
  }

  /** Workgroup memory that is used in turns; known once there is a kernel. */
  get memory(): Memory {
    if (!this.#memory) throw new Error('attend-gradient: no kernel has been made.');
    return this.#memory;
  }

  /** Whether the row is one that there is, and the key. */
  isRow(row: string): string {
    return `${row} < ${this.shader.length('queryLength')}`;
  }

  isKey(key: string): string {
    return `${key} < ${this.shader.length('keyLength')}`;
  }

  /** The element at coordinates that the owner's complete, before any lookup or dim. */
  start(place: Place): string {
    const { operand, parted } = this.options.destination;
    const { shader } = this;
    const all: Place = { ...this.owner, ...place };
    return sumOf([
      offsetOf(shader, operand),
      parted ? `${this.chunk} * ${shader.number('total')}` : null,
      ...operand.along.map((axis, at) => term(shader, operand, at, all[axis] as string)),
    ]);
  }

  /** Stores a number of the gradient at positions within the dims. */
  put(place: Place, at: readonly string[], value: string): void {
    const { operand } = this.options.destination;
    const { shader } = this;
    const first = operand.along.length + operand.type.lookups;
    const terms = at.map((one, i) => term(shader, operand, first + i, `(${one})`));
    store(shader, shader.code, operand.tensor, operand.dtype, sumOf([this.start(place), ...terms]), value);
  }

  /** Goes through the tiles of pairs that give to this workgroup's sums. */
  tiles(
    stageCells: number,
    add: (kernel: PairKernel, changes: Changes, firstKey: string | null) => void,
  ): void {
    const { shader, owner, options } = this;
    const { code } = shader;
    const { gradient, given, target } = options;
    const { design } = gradient;
    const { along } = target.operand;
    const [heads, keyHeads, group] = [
      shader.length('heads'),
      shader.length('keyHeads'),
      shader.number('group'),
    ];
    code.for(
      'unit',
      this.chunk,
      shader.number('units'),
      (unit) => {
        let rest = unit;
        const peel = (hint: string, size: string): string => {
          const at = code.let(hint, `${rest} % ${size}`);
          rest = code.let('rest', `${rest} / ${size}`);
          return at;
        };
        const first = target.byQuery
          ? this.firstRow
          : code.let('first_row', `${peel('tile', shader.number('tiles'))} * ${rowsOf(SHAPE)}`);
        const head =
          owner.head ??
          (owner.keyHead
            ? code.let('head', `${owner.keyHead} * ${group} + ${peel('nth', group)}`)
            : peel('head', heads));
        const batch = along.includes('batch') ? (owner.batch as string) : rest;
        const keyHead = code.let('key_head', `${head} * ${keyHeads} / ${heads}`);
        const tile = {
          batch,
          keyHead,
          head,
          firstHead: head,
          first,
          count: code.let('queries', shader.length('queryLength')),
        };
        const body = (): void => {
          const kernel = new PairKernel({
            shader,
            design,
            shape: SHAPE,
            tile,
            roots: rootsOf(gradient, target),
            stageCells,
          });
          this.#memory = kernel.stage;
          const known = gradient.moving ? storedRows(kernel) : givenRows(kernel, given);
          const backward = new Backward(kernel, gradient, given, known);
          const to = target.byKey
            ? code.let('to', `min(${this.firstKey} + ${keysOf(SHAPE)}, ${kernel.keyLength})`)
            : kernel.keyLength;
          if (target.pair.length > 0)
            kernel.sweep(this.firstKey, to, (pairs) => add(kernel, backward.pairs(pairs), pairs.first));
          if (target.sink.length > 0) {
            kernel.writer.staging = false;
            kernel.writer.scoped(() => add(kernel, backward.sinks(), null));
            kernel.writer.staging = true;
          }
          kernel.stage.use();
        };
        // Along heads and heads of keys, only those heads count that read the head of keys.
        if (owner.head && owner.keyHead) code.if(`${keyHead} == ${owner.keyHead}`, body);
        else body();
      },
      shader.number('chunks'),
    );
  }
}

/** Every formula that the pairs of a target need besides their score and mask. */
const rootsOf = (gradient: GradientDesign, target: Target): Expr[] => [
  ...backwardRoots(gradient),
  ...formulasOf(target),
  ...(target.sum.by === 'product'
    ? target.sum.terms.flatMap(({ factor }) => (factor ? [asExpr(factor) as Expr] : []))
    : []),
];

/** How one way of summing is written: variables, what a tile adds, what is stored. */
export interface Summation {
  /** Cells of workgroup memory that formulas may take turns with. */
  readonly stageCells: number;
  add(kernel: PairKernel, changes: Changes, firstKey: string | null): void;
  finish(): void;
}

export function emitTarget(options: TargetOptions, sum: (frame: Frame) => Summation): Shader {
  const shader = new ShaderWriter(options.machine);
  leave(shader);
  const frame = new Frame(shader, options);
  const summation = sum(frame);
  frame.tiles(summation.stageCells, (kernel, changes, firstKey) => summation.add(kernel, changes, firstKey));
  summation.finish();
  return shader.finish(invocationsOf(SHAPE));
}
