// How the loss changes with what a pair has: its score, its weight, its factor.

import { asExpr, type Expr, type Node } from '@heed/expr';
import { isLiteral } from '../attend/formulas.ts';
import type { PairKernel, Pairs } from '../attend/kernel.ts';
import { offsetOf, sumOf, term } from '../attend/operand.ts';
import { indexIn, type Output } from '../attend/output.ts';
import { columnAt } from '../attend/value.ts';
import { laneOf } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import { exp } from '../math/exponential.ts';
import type { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';
import { type GradientDesign, SHAPE, type Stage } from './design.ts';

/** What a row has: level, rho, and what exp(score - level) is multiplied by so that weights sum to one. */
export const ROWS = 'scratch:rows';

/** What is stored for each row. */
export const rowsBinding = (shader: ShaderWriter, access: 'read' | 'write'): string =>
  shader.binding(ROWS, access, 'vec4<f32>');

export interface Given {
  readonly level: Output | null;
  readonly weights: Output | null;
  readonly levelGradient: Output | null;
}

/** How the loss changes with each stage of a pair, and which pairs count; for each row lanes of keys. */
export interface Changes {
  readonly counted: Lanes;
  of(stage: Stage): Lanes;
}

const rows = Array.from({ length: SHAPE.group }, (_, g) => g);

/** Formulas that `Backward` reads of each pair. */
export function backwardRoots({ program, softmax, context }: GradientDesign): Expr[] {
  const { of, weightByScore, weightByLevel } = program;
  return [
    of.reweight,
    ...(softmax ? [] : [of.normalizer.weight, weightByScore, weightByLevel].filter((one) => one !== null)),
    ...(of.normalizer.sink ? [of.normalizer.sink] : []),
    ...(context ? [asExpr(context.gradient) as Expr, asExpr(context.value) as Expr] : []),
  ];
}

export class Backward {
  readonly #kernel: PairKernel;
  readonly #gradient: GradientDesign;
  readonly #given: Given;
  readonly #level: Lanes;
  readonly #rho: Lanes;
  readonly #inverse: Lanes;
  /** Whether the row is one that there is, and not empty. */
  readonly #alive: Lanes;

  /** @param summed whether the sums over rows were taken before. */
  constructor(kernel: PairKernel, gradient: GradientDesign, given: Given, summed: boolean) {
    this.#kernel = kernel;
    this.#gradient = gradient;
    this.#given = given;
    const { shader, code, tile, rows: places } = kernel;
    const at = rows.map((g) => [tile.batch, places.readHead[0] as string, places.readQuery[g] as string]);
    if (gradient.rows && summed) {
      const found = at.map((place) =>
        code.let('row', `${rowsBinding(shader, 'read')}[${rowIndex(shader, place)}]`),
      );
      this.#level = found.map((row) => `${row}.x`);
      this.#rho = found.map((row) => `${row}.y`);
      this.#inverse = found.map((row) => `${row}.z`);
    } else {
      const { level } = given;
      this.#level = level
        ? at.map((place) =>
            code.let(
              'level',
              load(shader, level.operand.tensor, level.dtype, indexIn(shader, level.operand, place)),
            ),
          )
        : [];
      this.#rho = rows.map(() => '0.0');
      this.#inverse = rows.map(() => '1.0');
    }
    this.#alive = rows.map((g) => {
      const full = isFull(this.#level[g]);
      return code.let('alive', full ? `${kernel.isRow(g)} && ${full}` : kernel.isRow(g));
    });
  }

  get level(): Lanes {
    return this.#level;
  }

  get alive(): Lanes {
    return this.#alive;
  }

  /** Of the pairs of a tile. */
  pairs({ key, scores, allowed }: Pairs): Changes & { readonly weight: Lanes; readonly g: Lanes } {
    const counted = allowed.map((one, g) =>
      this.#kernel.code.let('counted', `${one} & vec4<bool>(${this.#alive[g]})`),
    );
    const { program, softmax } = this.#gradient;
    const { reweight } = program.of;
    const handed = this.#hand(scores);
    const weight = remember(() =>
      softmax ? this.#exponentials(scores) : this.#formula(program.of.normalizer.weight, handed),
    );
    const factor = remember(() => (isLiteral(reweight, 1) ? null : this.#kernel.ofPairs(reweight)));
    const up = remember(() => this.#upstream(key));
    const g = remember(() => {
      const by = factor();
      return by ? this.#each('g', [by, up()], ([a, b]) => `${a} * ${b}`) : up();
    });
    const moved = remember(() => this.#each('moved', [g(), this.#rho], ([a, b]) => `${a} - ${b}`));
    const stages: Readonly<Record<Stage, () => Lanes>> = {
      score: () => this.#each('by_score', [this.#slope(weight, handed), moved()], ([a, b]) => `${a} * ${b}`),
      reweight: () => this.#each('by_factor', [weight(), up()], ([a, b]) => `${a} * ${b}`),
      weight: moved,
      value: () => {
        const by = factor();
        return by ? this.#each('by_value', [weight(), by], ([a, b]) => `${a} * ${b}`) : weight();
      },
      sink: () => {
        throw new Error('attend-gradient: a pair is no sink.');
      },
    };
    const known = new Map<Stage, Lanes>();
    return {
      counted,
      get weight() {
        return weight();
      },
      get g() {
        return g();
      },
      of: (stage) => {
        const lanes = known.get(stage) ?? stages[stage]();
        known.set(stage, lanes);
        return lanes;
      },
    };
  }

  /** Of the sinks of rows: each counts in one lane of one invocation. */
  sinks(): Changes {
    const { code, across } = this.#kernel;
    const { program } = this.#gradient;
    const first = code.let('first', `vec4<bool>(${across} == 0, false, false, false)`);
    const counted = this.#alive.map((alive) => code.let('counted', `${first} & vec4<bool>(${alive})`));
    const score = this.#kernel.ofPairs(program.of.normalizer.sink as Expr);
    const handed = this.#hand(score);
    const stages: Partial<Record<Stage, () => Lanes>> = {
      sink: () =>
        this.#each(
          'by_sink',
          [this.#rho, this.#slope(() => this.#exponentials(score), handed)],
          ([rho, slope]) => `-${rho} * ${slope}`,
        ),
      weight: () => this.#each('by_weight', [this.#rho], ([rho]) => `vec4<f32>(-${rho})`),
    };
    return { counted, of: (stage) => (stages[stage] as () => Lanes)() };
  }

  /** a' and b of pairs by their formulas, or null where the weight does not depend on it. */
  byLevel(scores: Lanes): Lanes | null {
    const { weightByLevel } = this.#gradient.program;
    return weightByLevel && this.#formula(weightByLevel, this.#hand(scores));
  }

  #slope(weight: () => Lanes, handed: Readonly<Record<string, Lanes>>): Lanes {
    const { softmax, program } = this.#gradient;
    if (softmax) return weight();
    return program.weightByScore
      ? this.#formula(program.weightByScore, handed)
      : rows.map(() => 'vec4<f32>()');
  }

  #exponentials(scores: Lanes): Lanes {
    const { shader } = this.#kernel;
    return this.#each('weight', [scores, this.#level, this.#inverse], ([score, level, inverse]) => {
      const power = `${shader.use(exp(4))}(${score} - ${level})`;
      return inverse === '1.0' ? power : `${power} * ${inverse}`;
    });
  }

  #formula(formula: Expr, handed: Readonly<Record<string, Lanes>>): Lanes {
    return this.#kernel.ofPairs(formula, handed);
  }

  /** What formulas of weights, and what partials of these, read besides the inputs. */
  #hand(score: Lanes): Readonly<Record<string, Lanes>> {
    const level = this.#level.map((one) => `vec4<f32>(${one})`);
    const handed = { score, ...(this.#gradient.solved ? { level } : {}) };
    for (const [name, lanes] of Object.entries(handed)) this.#kernel.source.hand(name, lanes);
    return handed;
  }

  /** gradient of context . value + gradient of the weight. */
  #upstream(key: string): Lanes {
    const { context } = this.#gradient;
    const sums: Lanes[] = [];
    if (context?.product) sums.push(this.#kernel.ofPairs(context.product));
    else if (context) sums.push(this.#inner(context.gradient, context.value));
    if (this.#given.weights) sums.push(this.#weightGradients(this.#given.weights, key));
    if (sums.length === 0) return rows.map(() => 'vec4<f32>()');
    return sums.length === 1 ? (sums[0] as Lanes) : this.#each('up', sums, ([a, b]) => `${a} + ${b}`);
  }

  /** The inner product of matrices. */
  #inner(a: Node, b: Node): Lanes {
    const { code, writer } = this.#kernel;
    const sums = rows.map(() => code.var('inner', 'vec4<f32>()', 'vec4<f32>'));
    const dims = a.type.dims.map((dim) => writer.size(dim));
    const { staging } = writer;
    writer.staging = false;
    code.for('e', '0', String(dims.reduce((all, size) => all * size, 1)), (e) =>
      writer.scoped(() => {
        const at = columnAt(code, dims, e);
        const [left, right] = [writer.part(a, at), writer.part(b, at)];
        sums.forEach((sum, g) => {
          code.set(sum, `${sum} + ${laneOf(left, g)} * ${laneOf(right, g)}`);
        });
      }),
    );
    writer.staging = staging;
    return sums;
  }

  #weightGradients({ operand, dtype }: Output, key: string): Lanes {
    const { shader, code, tile, rows: places, keyLength } = this.#kernel;
    const { pool } = this.#gradient;
    const queries = shader.length('queryLength');
    const block = (at: string): string => (pool === 1 ? at : `(${at} / ${pool})`);
    const last = code.let('last', `min(${key}, vec4<i32>(${keyLength} - 1))`);
    const columns = code.let('columns', pool === 1 ? last : `${last} / vec4<i32>(${pool})`);
    return rows.map((g) => {
      const query = places.readQuery[g] as string;
      const start = code.let(
        'start',
        sumOf([
          offsetOf(shader, operand),
          term(shader, operand, 0, tile.batch),
          term(shader, operand, 1, places.readHead[0] as string),
          term(shader, operand, 2, block(query)),
        ]),
      );
      const lanes = ['x', 'y', 'z', 'w'].map((lane) =>
        load(shader, operand.tensor, dtype, sumOf([start, term(shader, operand, 3, `${columns}.${lane}`)])),
      );
      const many = `f32(min(${pool}, ${queries} - ${block(query)} * ${pool}))`;
      return code.let('grad_weight', `vec4<f32>(${lanes.join(', ')})${pool === 1 ? '' : ` / ${many}`}`);
    });
  }

  #each(hint: string, args: readonly Lanes[], write: (args: readonly string[]) => string): Lanes {
    return rows.map((g) => this.#kernel.code.let(hint, write(args.map((lanes) => laneOf(lanes, g)))));
  }
}

/** Where a row's numbers lie: batch, head, query. */
export const rowIndex = (shader: ShaderWriter, [batch, head, query]: readonly string[]): string =>
  `(${batch} * ${shader.length('heads')} + ${head}) * ${shader.length('queryLength')} + ${query}`;

/** That a row has something to attend to, by its level; null where it has none. */
const isFull = (level: string | undefined): string | null =>
  level === undefined ? null : `bitcast<u32>(${level}) != 0xff800000u`;

function remember<T>(make: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: make() };
    return known.value;
  };
}
