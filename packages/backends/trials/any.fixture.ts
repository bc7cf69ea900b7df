// For tests: attentions of any parts, and of formulas that no part writes, beside the reference.

import type { AttentionOptions } from '@heed/attention';
import * as e from '@heed/expr';
import { localGaussian } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { dot } from '@heed/scores';
import type { AttendProgram, Backend } from '@heed/tensor';
import { compare } from './attend.fixture.ts';
import { everything, lengths, levelless, masks, modifiers, normalizers, scores } from './parts.fixture.ts';
import { Draw, type Lengths, programOf, sceneOf } from './scene.fixture.ts';

/**
 * An attention of random parts over random numbers, somewhere in memory.
 *
 * @param few at most seven queries, by the normalizers for which they are done apart.
 */
export async function tryParts(backend: Backend, draw: Draw, few: boolean): Promise<void> {
  const name = draw.pick(few ? ['softmax', 'softmax with a sink', 'sigmoid'] : Object.keys(normalizers));
  const options: AttentionOptions = {
    score: draw.pick(Object.values(scores)),
    normalizer: normalizers[name] as never,
    ...(draw.flip() ? { mask: draw.pick(Object.values(masks)) } : {}),
    // A soft cap brings scores so close to each other that float32 may find another largest one.
    ...(name !== 'hard' && draw.flip(0.3) ? { modifiers: [draw.pick(Object.values(modifiers))] } : {}),
    ...(draw.flip(0.2) ? { reweight: [localGaussian({ window: 6 })] } : {}),
  };
  const program = programOf(options, {
    features: draw.pick([1, 2, 3, 4, 5, 8, 16, 31, 70]),
    valueFeatures: draw.pick([0, 1, 3, 4, 6, 7, 13, 32, 37]),
    keep: {
      level: !levelless.has(name) && draw.flip(),
      weights: draw.pick([false, true, { pool: 1 }, { pool: 3 }, { pool: 16 }, { pool: 40 }]),
    },
    dtype: draw.pick(['float32', 'float32', 'float16', 'bfloat16']),
  });
  const keyHead = draw.integer(1, 2);
  const drawn: Lengths = {
    batch: draw.pick([0, 1, 1, 2, 2]),
    head: keyHead * draw.integer(1, 2),
    keyHead,
    query: draw.pick(few ? [1, 2, 7] : [0, 1, 2, 7, 8, 9, 17, 33, 50]),
    key: draw.pick([0, 1, 2, 5, 6, 7, 12, 31, 64, 193, 200]),
  };
  const placing = draw.pick(['plain', 'fours', 'anyhow', 'rows'] as const);
  await compare(backend, sceneOf(program, drawn, draw), draw, placing);
}

/** What no part of @heed/scores needs: vectors of pairs, matrices, tables by query, positions within vectors. */
const rows = { q: e.vec('feature'), k: e.vec('feature') };
const formula = (write: Parameters<typeof e.trace<e.Scalar>>[2]): e.Expr<e.Scalar> =>
  e.trace('test', e.scalar, write as never);
const formulas: Readonly<Record<string, { inputs: AttendProgram['inputs']; score: e.Expr<e.Scalar> }>> = {
  'a vector for each pair': {
    inputs: { r: { type: rows.k, dtype: 'float32', along: ['head', 'query', 'key'] } },
    score: formula((x) =>
      e.add(e.dot(x('q', rows.q), x('r', rows.k)), e.norm(e.sub(x('k', rows.k), x('r', rows.k)))),
    ),
  },
  'a matrix between the rows': {
    inputs: { m: { type: e.mat('feature', 'feature'), dtype: 'bfloat16', along: ['batch', 'query'] } },
    score: formula((x) =>
      e.dot(
        x('k', rows.k),
        e.matvec(x('m', e.mat('feature', 'feature')), e.tanh(e.sub(x('q', rows.q), x('k', rows.k)))),
      ),
    ),
  },
  'a matrix of keys': {
    inputs: { m: { type: e.mat('feature', 'feature'), dtype: 'float32', along: ['keyHead', 'key'] } },
    score: formula((x) => e.max(e.vecmat(x('q', rows.q), x('m', e.mat('feature', 'feature'))))),
  },
  'one element, and neighbours': {
    inputs: { at: { type: e.index, dtype: 'int32', along: ['query', 'key'] } },
    score: formula((x) =>
      e.add(
        e.pick(e.mul(x('q', rows.q), x('k', rows.k)), x('at', e.index)),
        e.min(e.concat(x('q', rows.q), x('k', rows.k))),
      ),
    ),
  },
  'tables by query and by key': {
    inputs: {
      t: { type: e.table(2), dtype: 'float32', along: ['head', 'query'] },
      w: { type: e.table(1, rows.k), dtype: 'float16', along: ['key'] },
    },
    score: formula((x) => {
      const [query, key] = [x('query', e.index), x('key', e.index)];
      const entry = e.at(x('t', e.table(2)), e.sub(query, key), e.mod(key, 5));
      return e.add(entry, e.dot(x('q', rows.q), e.at(x('w', e.table(1, rows.k)), e.sub(key, query))));
    }),
  },
  'random numbers': {
    inputs: {},
    score: formula((x) =>
      e.mul(
        e.random(x('batch', e.index), x('head', e.index), x('query', e.index), x('key', e.index)),
        e.dot(x('q', rows.q), x('k', rows.k)),
      ),
    ),
  },
  'nothing of the rows': {
    inputs: {},
    score: formula((x) => e.neg(e.toFloat(e.abs(e.sub(x('query', e.index), x('key', e.index)))))),
  },
};

/** The names of formulas that no part of @heed/scores needs. */
export const formulaNames: readonly string[] = Object.keys(formulas);

export async function tryFormula(backend: Backend, name: string): Promise<void> {
  const { inputs, score } = formulas[name] as (typeof formulas)[string];
  const plain = programOf({ score: dot(), normalizer: softmax() }, everything());
  const program: AttendProgram = { ...plain, inputs: { ...plain.inputs, ...inputs }, score };
  for (const query of [3, 19])
    for (const keep of [program.keep, { level: false, weights: false }]) {
      const scene = sceneOf({ ...program, keep }, { ...lengths, query }, new Draw(query), { scale: 0.5 });
      await compare(backend, scene, new Draw(query), 'anyhow');
    }
}
