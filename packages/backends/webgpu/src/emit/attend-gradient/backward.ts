// How the loss changes with what a pair has: its score, its weight, its factor.

import { asExpr, type Expr, type Node } from '@heed/expr';
import { isLiteral } from '../attend/formulas.ts';
import type { PairKernel, Pairs } from '../attend/kernel.ts';
import { offsetOf, sumOf, term } from '../attend/operand.ts';
import type { Output } from '../attend/output.ts';
import { countedFrom } from '../attend/relative.ts';
import { columnAt } from '../attend/value.ts';
import { laneOf } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import { load } from '../storage.ts';
import { type GradientDesign, SHAPE, type Stage } from './design.ts';
import type { Given, KnownRows } from './known-rows.ts';

/** How the loss changes with each stage of a pair, and which pairs count; for each row lanes of keys. */
export interface Changes {
  readonly counted: Lanes;
  of(stage: Stage): Lanes;
}

const rows = Array.from({ length: SHAPE.group }, (_, g) => g);

/** Formulas that `Backward` reads of each pair. */
export function backwardRoots({ program, context }: GradientDesign): Expr[] {
  const { of, weightByScore, weightByLevel } = program;
  const { weight, sink } = of.normalizer;
  return [
    of.reweight,
    ...[weight, weightByScore, weightByLevel, sink].filter((one) => one !== null),
    ...(context ? [asExpr(context.gradient) as Expr, asExpr(context.value) as Expr] : []),
  ];
}

export class Backward {
  readonly #kernel: PairKernel;
  readonly #gradient: GradientDesign;
  readonly #given: Given;
  readonly #rows: KnownRows;

  constructor(kernel: PairKernel, gradient: GradientDesign, given: Given, known: KnownRows) {
    this.#kernel = kernel;
    this.#gradient = gradient;
    this.#given = given;
    this.#rows = known;
  }

  /** Of the pairs of a tile. */
  pairs({ key, scores, allowed }: Pairs): Changes & { readonly g: Lanes; readonly byLevel: Lanes } {
    const counted = allowed.map((one, g) =>
      this.#kernel.code.let('counted', `${one} & vec4<bool>(${this.#rows.alive[g]})`),
    );
    const { program } = this.#gradient;
    const { reweight, normalizer } = program.of;
    const handed = this.#hand(scores);
    const weight = remember(() => this.#formula(normalizer.weight, handed));
    const factor = remember(() => (isLiteral(reweight, 1) ? null : this.#kernel.ofPairs(reweight)));
    const up = remember(() => this.#upstream(key));
    const g = remember(() => {
      const by = factor();
      return by ? this.#each('g', [by, up()], ([a, b]) => `${a} * ${b}`) : up();
    });
    const moved = remember(() => this.#each('moved', [g(), this.#rows.rho], ([a, b]) => `${a} - ${b}`));
    const stages: Readonly<Record<Stage, () => Lanes>> = {
      score: () =>
        this.#each(
          'by_score',
          [this.#formula(program.weightByScore, handed), moved()],
          ([a, b]) => `${a} * ${b}`,
        ),
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
    const byLevel = (): Lanes => this.#formula(program.weightByLevel, handed);
    const known = new Map<Stage, Lanes>();
    return {
      counted,
      get g() {
        return g();
      },
      get byLevel() {
        return byLevel();
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
    const { alive: rowsAlive, rho } = this.#rows;
    const counted = rowsAlive.map((alive) => code.let('counted', `${first} & vec4<bool>(${alive})`));
    const score = this.#kernel.ofPairs(program.of.normalizer.sink as Expr);
    const handed = this.#hand(score);
    const stages: Partial<Record<Stage, () => Lanes>> = {
      sink: () =>
        this.#each(
          'by_sink',
          [rho, this.#formula(program.weightByScore, handed)],
          ([one, slope]) => `-${one} * ${slope}`,
        ),
      weight: () => this.#each('by_weight', [rho], ([one]) => `vec4<f32>(-${one})`),
    };
    return { counted, of: (stage) => (stages[stage] as () => Lanes)() };
  }

  /** b of a pair by its score. */
  byLevel(score: Lanes): Lanes {
    return this.#formula(this.#gradient.program.weightByLevel, this.#hand(score));
  }

  #formula(formula: Expr | null, handed: Readonly<Record<string, Lanes>>): Lanes {
    return formula ? this.#kernel.ofPairs(formula, handed) : rows.map(() => 'vec4<f32>()');
  }

  /** What formulas of weights, and what partials of these, read besides the inputs. */
  #hand(scores: Lanes): Readonly<Record<string, Lanes>> {
    const { origin, level } = this.#rows;
    const handed = {
      score: countedFrom(this.#kernel, scores, origin),
      ...(level ? { level: level.map((one) => `vec4<f32>(${one})`) } : {}),
    };
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

function remember<T>(make: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: make() };
    return known.value;
  };
}
