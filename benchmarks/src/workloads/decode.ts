// One query against a long cache, where memory is the limit; and heed's cache in fewer bits beside its float32.

import { HEED, systems } from '../systems.ts';
import type { AttentionTask } from '../task.ts';
import { alone, attentionOver, type Workload, workOf } from '../workload.ts';

const peers = systems.map(({ name }) => name).filter((name) => !name.startsWith(HEED));
const LONGEST = 65536;

const decode = (keys: number, storage: AttentionTask['storage'] = 'float32'): Workload => {
  const task = attentionOver(keys, { storage, shape: { queries: 1 } });
  return {
    id: `decode-${keys}${storage === 'float32' ? '' : `-${storage}`}`,
    title: `decode, cache of ${keys}${storage === 'float32' ? '' : ` in ${storage}`}`,
    task,
    work: workOf(task),
    ...(keys === LONGEST ? { without: alone(peers) } : {}),
    ...(storage === 'float32' ? {} : { beside: decode(keys) }),
  };
};

export const decoding: readonly Workload[] = [
  decode(4096),
  decode(16384),
  decode(LONGEST),
  decode(LONGEST, 'bfloat16'),
  decode(LONGEST, 'int8'),
];
