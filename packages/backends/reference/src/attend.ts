// context = sum over allowed keys of normalize(score) * reweight * value

import { sizeOf } from '@heed/expr';
import { type AttendProgram, type DType, workingDType } from '@heed/tensor';
import { checkAttend, inputTypes, poolOf } from './attend-form.ts';
import type { Interpret } from './interpreter.ts';
import { isEmpty, normalizer } from './normalize.ts';
import type { Operands } from './operands.ts';
import { pairsOf } from './pairs.ts';
import { lengths, type Row, Scene, startOf } from './scene.ts';
import { product } from './strided.ts';

export const interpretAttend: Interpret<AttendProgram> = (program) => {
  const where = 'attend';
  checkAttend(where, program);
  const { keep, dtype } = program;
  const outputs: Record<string, DType> = {
    context: dtype,
    ...(keep.level ? { level: workingDType(dtype) } : {}),
    ...(keep.weights ? { weights: dtype } : {}),
  };
  return {
    signature: {
      where,
      inputs: inputTypes(program),
      uniforms: program.uniforms,
      sizes: Object.values(lengths),
      outputs,
    },
    run: (operands) => attend(program, operands),
  };
};

function attend(program: AttendProgram, operands: Operands): void {
  const { keep } = program;
  const scene = new Scene(program, operands);
  const shapes = shapesOf(program, scene);
  for (const [name, { shape, words }] of Object.entries(shapes)) {
    if (name === 'context' || keep[name as keyof typeof keep])
      operands.output(name).expectShape(shape, words);
  }
  const value = scene.tensor(program.value);
  const context = new Float64Array(product(shapes.context.shape));
  const levels = new Float64Array(product(shapes.level.shape)).fill(-Infinity);
  const weights = new Float64Array(keep.weights ? product(shapes.weights.shape) : 0);
  const readRow = pairsOf(program, scene);
  const { level: levelOf, weight, toRow } = normalizer(program, scene);
  const reweight = scene.follow([program.reweight]);
  const pooled = poolOf(program);

  for (const row of scene.rows()) {
    const pairs = readRow(row);
    toRow(row);
    const level = levelOf(pairs);
    if (isEmpty(pairs, level.level)) continue;
    levels[scene.indexOf(row)] = level.level;
    reweight.toRow(row);
    const to = scene.indexOf(row) * value.width;
    const start = startOf(value, row);
    const place = keep.weights ? pool(scene, row, pooled) : null;
    for (let n = 0; n < pairs.count; n++) {
      const key = pairs.keys[n]!;
      reweight.toKey(key);
      const taken = weight(pairs.scores[n]!, level, key) * reweight.get();
      const from = start + key * value.steps.key;
      for (let d = 0; d < value.width; d++)
        context[to + d] = context[to + d]! + taken * value.data[from + d]!;
      if (place) {
        const at = place.start + Math.floor(key / pooled);
        weights[at] = weights[at]! + taken / place.queries;
      }
    }
  }
  operands.output('context').write(context);
  if (keep.level) operands.output('level').write(levels);
  if (keep.weights) operands.output('weights').write(weights);
}

/** Where the weights of a row go, and over how many queries they are averaged there: the last block may be short. */
export function pool(
  scene: Scene,
  { batch, head, query }: Row,
  by: number,
): { start: number; queries: number } {
  const { sizes } = scene;
  const blocks = { query: Math.ceil(sizes.query / by), key: Math.ceil(sizes.key / by) };
  const block = Math.floor(query / by);
  return {
    start: ((batch * sizes.head + head) * blocks.query + block) * blocks.key,
    queries: Math.min(by, sizes.query - block * by),
  };
}

/** The shapes of an attention's results, and of the gradients that come back to them. */
export function shapesOf(
  program: AttendProgram,
  { sizes }: Scene,
): Readonly<
  Record<'context' | 'level' | 'weights', { readonly shape: readonly number[]; readonly words: string }>
> {
  const { dims } = program.inputs[program.value]!.type;
  const by = poolOf(program);
  const rows = [sizes.batch, sizes.head, sizes.query];
  const feature = dims.map((dim) => sizeOf(dim, program.sizes)!);
  return {
    context: { shape: [...rows, ...feature], words: `[${['batch', 'head', 'query', ...dims].join(', ')}]` },
    level: { shape: rows, words: '[batch, head, query]' },
    weights: {
      shape: [sizes.batch, sizes.head, Math.ceil(sizes.query / by), Math.ceil(sizes.key / by)],
      words: by === 1 ? '[batch, head, query, key]' : `[batch, head, query / ${by}, key / ${by}]`,
    },
  };
}
