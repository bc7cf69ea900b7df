// Attention as its definition reads, pair by pair in float64. Knows no tensors and no backend: the laws' own oracle.

import type { Spec } from '@heed/attention';
import type { NormalizerForm } from '@heed/tensor';
import { Formula, type Position } from './formula.ts';
import type { Scene } from './scene.ts';

/** Row-major: [batch, head, query, key] and [batch, head, query, ...]. */
export interface Attended {
  /** Scores of all pairs, after the modifiers, whatever the mask says. */
  readonly scores: Float64Array<ArrayBuffer>;
  /** 1 where the pair takes part. */
  readonly allowed: Float64Array<ArrayBuffer>;
  /** What the weights of all pairs are multiplied with, whatever the mask says. */
  readonly factors: Float64Array<ArrayBuffer>;
  readonly weights: Float64Array<ArrayBuffer>;
  readonly level: Float64Array<ArrayBuffer>;
  readonly context: Float64Array<ArrayBuffer>;
}

/**
 * e = score; a = normalize(e over allowed keys); w = a * reweight; context = sum of w * value. A row without an allowed
 * key has weights 0, context 0 and level -infinity.
 *
 * @param levelFactor moves each level before weights are read off it, to see what storing it as a float costs.
 */
export function attendNaively(spec: Spec, scene: Scene, levelFactor = 1): Attended {
  const { batch, head, keyHead, query, key } = scene.lengths;
  const score = new Formula(spec.score, scene);
  const mask = new Formula(spec.mask, scene);
  const reweight = new Formula(spec.reweight, scene);
  const normalize = normalizer(spec.normalizer, scene, levelFactor);
  const value = scene.fields.value?.data as Float64Array;
  const features = scene.sizes.valueFeature as number;
  const valueBatches = scene.fields.value?.shape[0] as number;
  const rows = batch * head * query;
  const scores = new Float64Array(rows * key);
  const allowed = new Float64Array(rows * key);
  const factors = new Float64Array(rows * key);
  const weights = new Float64Array(rows * key);
  const level = new Float64Array(rows);
  const context = new Float64Array(rows * features);
  let row = 0;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < head; h++) {
      const kh = Math.floor((h * keyHead) / head);
      for (let i = 0; i < query; i++, row++) {
        const at = (j: number): Position => ({ batch: b, head: h, keyHead: kh, query: i, key: j });
        const part: number[] = [];
        for (let j = 0; j < key; j++) {
          scores[row * key + j] = score.number(at(j));
          factors[row * key + j] = reweight.number(at(j));
          if (mask.number(at(j)) === 0) continue;
          allowed[row * key + j] = 1;
          part.push(j);
        }
        const done = normalize(
          part.map((j) => [at(j), scores[row * key + j] as number] as const),
          { batch: b, head: h, keyHead: kh, query: i },
        );
        level[row] = done.level;
        for (const [n, j] of part.entries()) {
          const weight = (done.weights[n] as number) * (factors[row * key + j] as number);
          weights[row * key + j] = weight;
          const from = ((valueBatches === 1 ? 0 : b) * keyHead + kh) * key + j;
          for (let f = 0; f < features; f++) {
            (context[row * features + f] as number) += weight * (value[from * features + f] as number);
          }
        }
      }
    }
  }
  return { scores, allowed, factors, weights, level, context };
}

type Pairs = readonly (readonly [Position, number])[];
type Normalized = { readonly weights: readonly number[]; readonly level: number };

function normalizer(
  form: NormalizerForm,
  scene: Scene,
  levelFactor: number,
): (pairs: Pairs, at: Position) => Normalized {
  const weight = new Formula(form.weight, scene);
  const sink = form.sink ? new Formula(form.sink, scene) : null;
  const { level } = form;
  const low = level.by === 'root' ? new Formula(level.low, scene) : null;
  const high = level.by === 'root' ? new Formula(level.high, scene) : null;
  return (pairs, at) => {
    if (pairs.length === 0) return { weights: [], level: -Infinity };
    const weigh = (of: number): number[] =>
      pairs.map(([pair, score]) => weight.number(pair, { score, level: of }));
    const taken = sink?.number(at) ?? null;
    const all = [...pairs.map(([, score]) => score), ...(taken === null ? [] : [taken])];
    const maximum = all.reduce((a, b) => Math.max(a, b));
    switch (level.by) {
      case 'none':
        return { weights: weigh(0), level: -Infinity };
      case 'log-sum-exp': {
        const found =
          maximum === -Infinity
            ? -Infinity
            : maximum + Math.log(all.reduce((sum, e) => sum + Math.exp(e - maximum), 0));
        return { weights: weigh(found * levelFactor), level: found };
      }
      case 'argmax': {
        const found = pairs.find(([, score]) => score === maximum)?.[0].key ?? 0;
        return { weights: weigh(found), level: found };
      }
      case 'root': {
        const stages = { maximum, count: all.length };
        const excess = (of: number): number => {
          const extra = taken === null ? 0 : weight.number({ ...at, key: 0 }, { score: taken, level: of });
          return weigh(of).reduce((sum, one) => sum + one, extra) - 1;
        };
        const found = bisect(
          excess,
          (low as Formula).number(at, stages),
          (high as Formula).number(at, stages),
        );
        return { weights: weigh(found * levelFactor), level: found };
      }
    }
  };
}

/** Where a falling function crosses zero, to the last bit. */
function bisect(f: (at: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 200; step++) {
    const middle = (from + to) / 2;
    if (middle <= from || middle >= to) break;
    if (f(middle) > 0) from = middle;
    else to = middle;
  }
  return to;
}
