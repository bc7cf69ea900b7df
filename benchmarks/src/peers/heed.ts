// heed as its users call it, on a device of any backend.

import { type Attend, type AttendCall, attention, defineReweight, defineScore } from '@heed/attention';
import { add, dot, tanh, vec } from '@heed/expr';
import { alibi, causal, softcap, window } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { cosine, gaussian, general, scaledDot } from '@heed/scores';
import { cast, type Device, matmul, parameter, scope, type Tensor, tensor } from '@heed/tensor';
import type { Arrays } from '../inputs.ts';
import {
  type AttentionTask,
  CAP,
  inputsOf,
  type LayerTask,
  leavesOf,
  STEP,
  type Task,
  WINDOW,
} from '../task.ts';
import type { Way } from './peer.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** The one way in which heed computes a task. */
export function wayOn(device: Device, task: Task, arrays: Arrays): Way {
  const given = tensorsOf(device, task, arrays);
  if (task.op === 'matmul')
    return forward('matmul', given, ({ left, right }) => matmul(left as Tensor, right as Tensor));
  if (task.op === 'layer') return forward('matmul and attention', given, layer(task));
  const { attend, call } = attentionOf(task, given);
  const { query, key, value } = given as Record<'query' | 'key' | 'value', Tensor>;
  // What the backend chose: on the CPU threads, turbo and the outcome of its trial.
  const name = attend.explain(query, key, value, call).backend.split('\n').slice(1).join(', ') || 'attention';
  const compute = () => attend(query, key, value, call);
  return task.gradient ? backward(name, given, leavesOf(task), compute) : forward(name, given, compute);
}

function tensorsOf(device: Device, task: Task, arrays: Arrays): Tensors {
  return Object.fromEntries(
    Object.entries(inputsOf(task)).map(([name, { shape, storage }]) => {
      const wide = arrays[name] as Float32Array;
      if (storage === 'int8')
        return [
          name,
          tensor(
            device,
            Int8Array.from(wide, (one) => Math.round(one / STEP)),
            { shape },
          ),
        ];
      if (storage === 'float32') return [name, tensor(device, wide, { shape })];
      return [name, scope(device, () => cast(tensor(device, wide, { shape }), storage))];
    }),
  );
}

/** As Keras's AdditiveAttention: query and key arrive projected. */
const projectedAdditive = defineScore({
  name: 'projected-additive',
  params: { vector: vec('feature') },
  score: ({ q, k, params }) => dot(params.vector, tanh(add(q, k))),
});

/** What a step of stored values is worth, as a factor of their weights. */
const valueStep = defineReweight({ name: 'value-step', factor: () => STEP });

const scores = {
  additive: () => projectedAdditive(),
  general: () => general(),
  cosine: () => cosine(),
  gaussian: () => gaussian(),
} as const;

function attentionOf(task: AttentionTask, { vector, matrix }: Tensors): { attend: Attend; call: AttendCall } {
  const quantised = task.storage === 'int8';
  const dots = () => scaledDot(quantised ? { scale: STEP / Math.sqrt(task.shape.feature) } : {});
  const mask = { none: [], causal: [causal()], window: [window({ left: WINDOW - 1, right: 0 })] }[task.mask];
  const modifiers = { none: [], softcap: [softcap({ cap: CAP })], alibi: [alibi()] }[task.modifier];
  const attend = attention({
    score: task.score === 'scaled-dot' ? dots() : scores[task.score](),
    modifiers,
    ...(mask[0] ? { mask: mask[0] } : {}),
    normalizer: softmax(),
    ...(quantised ? { reweight: [valueStep()] } : {}),
  });
  return { attend, call: { params: { ...(vector ? { vector } : {}), ...(matrix ? { w: matrix } : {}) } } };
}

function layer({ heads }: LayerTask): (given: Tensors) => Tensor {
  const attend = attention({ score: scaledDot(), normalizer: softmax() });
  return ({ x, toQuery, toKey, toValue, toOut }) => {
    const [batch = 1, length = 1, model = 1] = (x as Tensor).shape;
    const byHead = (weight: Tensor | undefined) =>
      matmul(x as Tensor, weight as Tensor)
        .reshape([batch, length, heads, model / heads])
        .transpose(1, 2);
    const context = attend(byHead(toQuery), byHead(toKey), byHead(toValue));
    return matmul(context.transpose(1, 2).reshape([batch, length, model]), toOut as Tensor);
  };
}

/** Waits until a tensor has been computed, by reading its first element. */
async function done(of: Tensor): Promise<void> {
  const first = scope(of.device, () => of.reshape([-1]).slice(0, 0, 1));
  await first.read();
  first.dispose();
}

function forward(name: string, given: Tensors, compute: (given: Tensors) => Tensor): Way {
  const { device } = Object.values(given)[0] as Tensor;
  const once = () => scope(device, () => compute(given));
  return {
    name,
    run: async () => {
      const result = once();
      await done(result);
      result.dispose();
    },
    results: async () => {
      const result = once();
      const numbers = (await result.read()) as Float32Array;
      result.dispose();
      return [numbers];
    },
  };
}

function backward(
  name: string,
  given: Tensors,
  names: readonly string[],
  compute: (given: Tensors) => Tensor,
): Way {
  const { upstream } = given;
  const { device } = upstream as Tensor;
  const leaves = names.map((name) => parameter(given[name] as Tensor));
  const once = (): readonly Tensor[] => {
    for (const leaf of leaves) leaf.clearGradient();
    scope(device, () => compute(given).backward(upstream));
    return leaves.map(({ gradient }) => gradient as Tensor);
  };
  return {
    name,
    run: async () => {
      for (const gradient of once()) await done(gradient);
    },
    results: async () => {
      const numbers: Float32Array[] = [];
      for (const gradient of once()) numbers.push((await gradient.read()) as Float32Array);
      return numbers;
    },
  };
}
