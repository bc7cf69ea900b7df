// The gradient of an attention, recomputed from its levels. Each row is gone through twice: first for the sums that its
// pairs share, then for what each pair gives to the inputs it read.

import type { Expr } from '@heed/expr';
import { type AttendGradientProgram, BackendError, type DType, workingDType } from '@heed/tensor';
import { pool, shapesOf } from './attend.ts';
import { type AttendNames, checkAttend, inputTypes, poolOf } from './attend-form.ts';
import { checkFormula, checkType } from './formula.ts';
import { Gradients } from './gradients.ts';
import type { Interpret } from './interpreter.ts';
import { isEmpty } from './normalize.ts';
import type { Operands } from './operands.ts';
import { pairsOf } from './pairs.ts';
import { lengths, type Row, Scene, startOf } from './scene.ts';

export const interpretAttendGradient: Interpret<AttendGradientProgram> = (program) => {
  const where = 'attend-gradient';
  const { of, wrt, upstream } = program;
  checkPartials(where, program, checkAttend(where, of));
  const solved = of.normalizer.level.by !== 'none';
  return {
    signature: {
      where,
      inputs: {
        ...inputTypes(of),
        context: of.dtype,
        ...(solved ? { level: workingDType(of.dtype) } : {}),
        ...(upstream.context ? { grad$context: of.dtype } : {}),
        ...(upstream.weights ? { grad$weights: of.dtype } : {}),
        ...(upstream.level ? { grad$level: workingDType(of.dtype) } : {}),
      },
      uniforms: of.uniforms,
      sizes: Object.values(lengths),
      outputs: Object.fromEntries(wrt.map((name): [string, DType] => [name, of.inputs[name]!.dtype])),
    },
    run: (operands) => attendGradient(program, operands),
  };
};

function attendGradient(program: AttendGradientProgram, operands: Operands): void {
  const { of, wrt } = program;
  const { normalizer } = of;
  const solved = normalizer.level.by !== 'none';
  const moving = normalizer.level.by === 'root' || normalizer.level.by === 'log-sum-exp';
  const scene = new Scene(of, operands);
  const above = upstreamOf(program, scene, operands);
  const gradients = new Gradients(program, scene);
  const value = scene.tensor(of.value);
  const toValue = wrt.includes(of.value) ? gradients.of(of.value) : null;

  const readRow = pairsOf(of, scene);
  const reweight = scene.follow([of.reweight]);
  const weights = scene.follow([
    normalizer.weight,
    ...[program.weightByScore, program.weightByLevel].filter((one) => one !== null),
  ]);
  const byScore = (): number => (program.weightByScore ? weights.number(1) : 0);
  const byLevel = (): number => (program.weightByLevel ? weights.number(program.weightByScore ? 2 : 1) : 0);
  const setScore = (score: number): void => {
    scene.cells.score[0] = score;
    weights.run();
  };

  // For each pair of a row: g, the gradient of its weight after reweighting, and what the first pass computed.
  const keys = scene.sizes.key;
  const [g, up, weight, slope, factor] = Array.from({ length: 5 }, () => new Float64Array(keys)) as Five;

  for (const row of scene.rows()) {
    const pairs = readRow(row);
    const level = solved ? above.level(row) : Number.NaN;
    if (isEmpty(pairs, level)) continue;
    const { count, scores, sink } = pairs;
    scene.cells.level[0] = level;
    weights.toRow(row);
    reweight.toRow(row);
    const from = startOf(value, row);
    let sumB = 0;
    let sumGB = 0;
    for (let n = 0; n < count; n++) {
      const key = pairs.keys[n]!;
      weights.toKey(key);
      reweight.toKey(key);
      setScore(scores[n]!);
      factor[n] = reweight.get();
      up[n] = above.weight(row, key, value.data, from + key * value.steps.key);
      g[n] = factor[n]! * up[n]!;
      weight[n] = weights.number(0);
      slope[n] = byScore();
      sumB += byLevel();
      sumGB += g[n]! * byLevel();
    }
    let slopeOfSink = 0;
    if (sink !== null && moving) {
      setScore(sink);
      sumB += byLevel();
      slopeOfSink = byScore();
    }
    // A level that no weight depends on cannot move.
    const rho = moving && sumB !== 0 ? (sumGB + above.levelGradient(row)) / sumB : 0;

    gradients.toRow(row);
    for (let n = 0; n < count; n++) {
      const key = pairs.keys[n]!;
      scene.cells.score[0] = scores[n]!;
      gradients.addPair(key, {
        score: slope[n]! * (g[n]! - rho),
        reweight: weight[n]! * up[n]!,
        weight: g[n]! - rho,
      });
      if (toValue) above.addToValue(row, factor[n]! * weight[n]!, toValue, from + key * value.steps.key);
    }
    if (sink !== null && moving) {
      scene.cells.score[0] = sink;
      gradients.addSink({ sink: -rho * slopeOfSink, weight: -rho });
    }
  }
  for (const name of wrt) operands.output(name).write(gradients.of(name));
}

type Five = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];

/** What comes back to an attention's results; zero where nothing does. */
interface Upstream {
  /** The level of a row as it was kept, and its gradient. */
  level(row: Row): number;
  levelGradient(row: Row): number;
  /** gradient of context . value + gradient of the weight, for the value that lies at `from`. */
  weight(row: Row, key: number, values: ArrayLike<number>, from: number): number;
  /** Adds `by` times the gradient of context at `to`. */
  addToValue(row: Row, by: number, into: Float64Array, to: number): void;
}

function upstreamOf(
  { of, wrt, upstream }: AttendGradientProgram,
  scene: Scene,
  operands: Operands,
): Upstream {
  const shapes = shapesOf(of, scene);
  const read = (name: string, like: keyof typeof shapes): Float64Array => {
    const { shape, words } = shapes[like];
    operands.input(name).expectShape(shape, words);
    return operands.input(name).read();
  };
  for (const name of wrt)
    operands.output(name).expectShape(operands.input(name).shape, 'the shape of the input');
  operands.input('context').expectShape(shapes.context.shape, shapes.context.words);
  const context = upstream.context ? read('grad$context', 'context') : null;
  const weights = upstream.weights ? read('grad$weights', 'weights') : null;
  const levelGradients = upstream.level ? read('grad$level', 'level') : null;
  const levels = of.normalizer.level.by === 'none' ? null : read('level', 'level');
  const { width } = scene.tensor(of.value);
  const pooled = poolOf(of);
  return {
    level: (row) => (levels ? levels[scene.indexOf(row)]! : Number.NaN),
    levelGradient: (row) => (levelGradients ? levelGradients[scene.indexOf(row)]! : 0),
    weight(row, key, values, from) {
      let sum = 0;
      if (weights) {
        const { start, queries } = pool(scene, row, pooled);
        sum = weights[start + Math.floor(key / pooled)]! / queries;
      }
      const at = scene.indexOf(row) * width;
      if (context) for (let d = 0; d < width; d++) sum += context[at + d]! * values[from + d]!;
      return sum;
    },
    addToValue(row, by, into, to) {
      const at = scene.indexOf(row) * width;
      if (context) for (let d = 0; d < width; d++) into[to + d] = into[to + d]! + by * context[at + d]!;
    },
  };
}

function checkPartials(where: string, program: AttendGradientProgram, names: AttendNames): void {
  const { of, wrt, upstream } = program;
  const refuse = (expected: string, got: string): never => {
    throw new BackendError(`reference: ${where}: expected ${expected}, got ${got}.`);
  };
  if (upstream.weights && !of.keep.weights)
    refuse('weights that were kept where their gradient comes', 'none');
  if (upstream.level && !of.keep.level) refuse('levels that were kept where their gradient comes', 'none');
  const { by } = of.normalizer.level;
  if ((by === 'root' || by === 'log-sum-exp') && !program.weightByLevel) {
    refuse(`how the weight changes with a level by ${by}`, 'nothing');
  }
  for (const [name, slope] of Object.entries({
    weightByScore: program.weightByScore,
    weightByLevel: program.weightByLevel,
  })) {
    if (slope) checkFormula(`${where}: ${name}`, slope, names.weight);
  }
  for (const name of wrt) {
    const input = of.inputs[name];
    if (!input) {
      refuse(`"${name}" among the inputs`, Object.keys(of.inputs).join(', '));
      continue;
    }
    if (input.type.element !== 'float' || input.dtype === 'int8')
      refuse(`"${name}" to hold floats`, input.dtype);
    const partials = program.partials[name];
    if (!partials) {
      if (name !== of.value) refuse(`partials of "${name}"`, 'none');
      continue;
    }
    const knows = { score: names.pair, reweight: names.pair, weight: names.weight, sink: names.row };
    for (const [stage, known] of Object.entries(knows)) {
      const partial: Expr | null = partials[stage as keyof typeof knows];
      if (!partial) continue;
      checkFormula(`${where}: ${stage} by "${name}"`, partial, known);
      checkType(`${where}: ${stage} by "${name}"`, partial, input.type);
    }
    if (partials.sink && input.along.includes('key'))
      refuse(`a sink that reads nothing along keys`, `"${name}"`);
  }
}
