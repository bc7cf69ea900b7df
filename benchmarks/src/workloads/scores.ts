// Scores beyond the scaled dot product.

import { HEED, systems } from '../systems.ts';
import type { AttentionTask } from '../task.ts';
import { alone, attentionOver, type Workload, workOf } from '../workload.ts';
import { sdpa } from './products.ts';

const peers = systems.map(({ name }) => name).filter((name) => !name.startsWith(HEED));

/** One head. */
function additive(batch: number, length: number, feature: number): Workload {
  const task = attentionOver(length, { score: 'additive', shape: { batch, heads: 1, feature } });
  return {
    id: `additive-${length}`,
    title: `additive [${batch}, ${length}, ${length}, ${feature}]`,
    task,
  };
}

const like = (score: AttentionTask['score']): Workload => {
  const task = attentionOver(1024, { score });
  return {
    id: `score-${score}`,
    title: `${score} score, 1024`,
    task,
    work: workOf(task),
    without: alone(peers),
    beside: sdpa('none', 1024),
  };
};

export const scores: readonly Workload[] = [
  additive(8, 64, 256),
  additive(1, 512, 128),
  like('cosine'),
  like('general'),
  like('gaussian'),
];
