// The rows on WebGPU, and which of them a device is given.

import { type AttentionTask, inputsOf, type Task, WINDOW } from '../task.ts';
import { attentionOver, type Workload, workOf } from '../workload.ts';

export interface GpuWorkload extends Workload {
  readonly task: AttentionTask;
  readonly work: number;
  /** Too short for a GPU, whose time would be that of starting: there for adapters in software, which take the rest ill. */
  readonly small: boolean;
}

const row = (
  id: string,
  title: string,
  task: AttentionTask,
  small: boolean,
  work = workOf(task),
): GpuWorkload => ({
  id,
  title,
  task,
  work,
  small,
});

function sdpa(mask: 'none' | 'causal', length: number, feature: number): GpuWorkload {
  const name = mask === 'none' ? 'full' : 'causal';
  const task = attentionOver(length, { mask, shape: { feature } });
  return row(
    `sdpa-${name}-${length}-${feature}`,
    `SDPA ${name}, ${length}, feature ${feature}`,
    task,
    length < 512,
  );
}

function windowed(length: number): GpuWorkload {
  const task = attentionOver(length, { mask: 'window' });
  const pairs = length * WINDOW - (WINDOW * (WINDOW - 1)) / 2;
  return row(
    `window-${length}`,
    `causal window of ${WINDOW}, ${length}`,
    task,
    length < 4096,
    workOf(task, pairs),
  );
}

function decode(keys: number): GpuWorkload {
  const task = attentionOver(keys, { shape: { queries: 1 } });
  return row(`decode-${keys}`, `decode, cache of ${keys}`, task, keys < 4096);
}

/** Operations beside products of two numbers: a sum, and a tanh of about ten. */
const HIDDEN = 11;

function additive(batch: number, length: number, feature: number, gradient = false): GpuWorkload {
  const task = attentionOver(length, { score: 'additive', gradient, shape: { batch, heads: 1, feature } });
  const [id, title] = gradient
    ? ['backward-additive', 'forward + backward, additive']
    : ['additive', 'additive'];
  const hidden = (gradient ? 2 : 1) * HIDDEN * batch * length * length * feature;
  const name = `${title} [${batch}, ${length}, ${length}, ${feature}]`;
  return row(`${id}-${length}`, name, task, length < (gradient ? 512 : 64), workOf(task) + hidden);
}

function backward(mask: 'none' | 'causal', length: number): GpuWorkload {
  const name = mask === 'none' ? 'full' : 'causal';
  const task = attentionOver(length, { gradient: true, mask });
  return row(`backward-${name}-${length}`, `forward + backward, ${name}, ${length}`, task, length < 512);
}

const lengths = [128, 256, 512, 1024, 2048, 4096, 8192, 16384];
const masks = ['none', 'causal'] as const;

export const workloads: readonly GpuWorkload[] = [
  ...[64, 128].flatMap((feature) =>
    masks.flatMap((mask) => lengths.map((length) => sdpa(mask, length, feature))),
  ),
  ...[512, 4096, 16384].map(windowed),
  ...[1024, 4096, 16384, 65536].map(decode),
  additive(8, 64, 256),
  additive(1, 512, 128),
  additive(1, 2048, 128),
  ...masks.flatMap((mask) => [128, 512, 1024, 2048].map((length) => backward(mask, length))),
  additive(1, 128, 128, true),
  additive(1, 512, 128, true),
  additive(1, 2048, 128, true),
];

/** Rows in which heed is compared with itself. */
export interface TemplateRow {
  readonly id: string;
  /** With and without subgroup operations, or one template beside another. */
  readonly by: 'subgroups' | 'queries';
  readonly workload: GpuWorkload;
}

const few = (queries: number): GpuWorkload => {
  const task = attentionOver(4096, { shape: { queries } });
  return row(`queries-${queries}`, `${queries} queries, cache of 4096`, task, false);
};

export const templateRows = (software: boolean): readonly TemplateRow[] => {
  const length = software ? 256 : 4096;
  return [
    { id: `templates-full-${length}`, by: 'subgroups', workload: sdpa('none', length, 64) },
    { id: 'templates-decode-4096', by: 'subgroups', workload: decode(4096) },
    // As many queries as keys are split for, and one more.
    { id: 'templates-queries', by: 'queries', workload: { ...few(32), beside: few(33) } },
  ];
};

/** Bytes of the largest tensor that goes in, and of one head's queries x keys in float32. */
export function bytesOf(task: AttentionTask): { readonly largestInput: number; readonly table: number } {
  const sizes = Object.values(inputsOf(task satisfies Task)).map(({ shape }) =>
    shape.reduce((product, size) => product * size, 4),
  );
  return { largestInput: Math.max(...sizes), table: task.shape.queries * task.shape.keys * 4 };
}

/** Bytes of one input that are worth drawing, copying and comparing for a device in software. */
const LARGE = 2 ** 26;

/** Why a row is left out on a device; undefined where it is not. @param budget seconds for one run at the measured rate. */
export function leftOut(
  { work, small, task }: GpuWorkload,
  software: boolean,
  flops: number,
  budget: number,
): string | undefined {
  if (small && !software) return 'shorter than what is measured on a GPU';
  const { largestInput } = bytesOf(task);
  if (software && largestInput > LARGE)
    return `an input of ${Math.round(largestInput / 1e6)} MB, too large for a device in software`;
  const seconds = work / flops;
  return seconds > budget
    ? `one run would take ${seconds.toPrecision(2)} s even at the rate that was measured, more than ${budget} s (--budget)`
    : undefined;
}
