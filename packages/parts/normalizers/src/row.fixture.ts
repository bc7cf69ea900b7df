// Rows of scores put through a normalizer on the reference backend, in float64: what the tests here check.

import { type AttendCall, attention, defineMask, defineScore, type Normalizer } from '@heed/attention';
import { bool, HeedError, scalar } from '@heed/expr';
import { reference } from '@heed/reference';
import {
  type Device,
  mul,
  openDevice,
  parameter,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@heed/tensor';

const given = defineScore({
  name: 'given',
  inputs: { scores: { type: scalar, along: ['query', 'key'] } },
  score: ({ inputs: { scores } }) => scores,
});
const taken = defineMask({
  name: 'taken',
  inputs: { takes: { type: bool, along: ['query', 'key'] } },
  allowed: ({ inputs: { takes } }) => takes,
});

export interface Weighed {
  readonly weights: number[][];
  /** None where the normalizer has no level. */
  readonly level: number[];
  /** The gradient of the sum of weights * upstream with respect to the scores. */
  readonly gradient: number[][];
}

type Rows = readonly (readonly number[])[];

/** The weights of rows of scores. Scores of `null` are not allowed. */
export async function weigh(
  normalizer: Normalizer,
  rows: readonly (readonly (number | null)[])[],
  {
    upstream,
    params = {},
    uniforms = {},
    inputs = {},
  }: {
    upstream?: Rows;
    params?: Record<string, number>;
    uniforms?: Record<string, number>;
    inputs?: Record<string, readonly number[]>;
  } = {},
): Promise<Weighed> {
  const device = await openDevice(reference());
  const leveled = normalizer.form.level.by !== 'none';
  const attend = attention({ score: given(), mask: taken(), normalizer });
  const scores = leaf(
    device,
    rows.map((row) => row.map((one) => one ?? Number.NaN)),
  );
  const takes = tensor(
    device,
    rows.map((row) => row.map((one) => one !== null)),
  );
  const [queries, keys] = takes.shape as [number, number];
  const row = (length: number): Tensor => zeros(device, [length, 1], { dtype: 'float64' });
  const call: AttendCall = {
    inputs: {
      scores,
      takes,
      ...Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, leaf(device, data)])),
    },
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, leaf(device, [value])])),
    uniforms,
  };
  const all = attend(row(queries), row(keys), row(keys), {
    ...call,
    weights: true,
    ...(leveled ? { level: true } : {}),
  });
  const weights = all.weights as Tensor;
  const direction = leaf(device, upstream ?? rows.map((one) => one.map(() => 1)));
  sum(mul(weights, direction)).backward();
  const result = {
    weights: (await weights.toNested()) as number[][],
    level: leveled ? ((await (all.level as Tensor).toNested()) as number[]) : [],
    gradient: ((await scores.gradient?.toNested()) ?? []) as number[][],
  };
  await device.close();
  return result;
}

const leaf = (device: Device, data: Rows | readonly number[]): Tensor =>
  parameter(scope(device, () => tensor(device, data as number[][], { dtype: 'float64' })));

/** The message of the error that a wrong option gives. */
export function message(run: () => unknown): string {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
}
