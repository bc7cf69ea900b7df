// Teacher-forced decoders: attention at every step of a recurrent cell.

import { additiveAttention } from '@heed/additive';
import { attention } from '@heed/attention';
import { padding } from '@heed/masks';
import { multiplicativeAttention } from '@heed/multiplicative';
import { monotonicStep, softmax } from '@heed/normalizers';
import { additive, dot } from '@heed/scores';
import {
  add,
  argmax,
  cast,
  concat,
  lt,
  matmul,
  mean,
  mul,
  ones,
  sigmoid,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Inputs, Outputs, Work } from '../family.ts';
import { gru, lstmStep, type State } from './recurrent.ts';

export const seq2seq: Family = (work) => {
  const kind = work.attributes.choice('kind', ['bahdanau', 'luong', 'attention-wrapper']);
  if (kind === 'attention-wrapper') {
    const { outputs, alignments, state } = wrapper(work, given(work));
    return { outputs, alignments, h: state.h, c: state.c as Tensor };
  }
  return decoder(work, kind);
};

const join = (...parts: readonly Tensor[]): Tensor => concat(parts, { axis: -1 });
const stepOf = (of: Tensor, t: number): Tensor => of.slice(1, t, t + 1).squeeze(1);

function decoder({ attributes, inputs }: Work, kind: 'bahdanau' | 'luong'): Outputs {
  attributes.note('cell', 'encoder', 'order');
  const memory = inputs.tensor('memory');
  const y = inputs.tensor('y');
  const cell = gru({
    input: inputs.tensor('cell.weight_ih'),
    hidden: inputs.tensor('cell.weight_hh'),
    inputBias: inputs.maybe('cell.bias_ih'),
    hiddenBias: inputs.maybe('cell.bias_hh'),
  });
  const look = kind === 'bahdanau' ? bahdanau(inputs, memory) : luong(inputs, memory);
  let state: State = { h: inputs.tensor('s0'), c: null };
  let attentional = look.start;
  const all = { weights: [] as Tensor[], contexts: [] as Tensor[], outputs: [] as Tensor[] };
  for (let t = 0; t < (y.shape[1] as number); t++) {
    const input = stepOf(y, t);
    if (attentional) state = cell(join(input, attentional), state);
    const { context, weights, output } = look.at(state.h);
    if (attentional) attentional = output;
    else state = cell(join(input, context), state);
    all.weights.push(weights);
    all.contexts.push(context);
    all.outputs.push(attentional ?? state.h);
  }
  const over = (steps: readonly Tensor[]): Tensor => stack(steps, { axis: 1 });
  return {
    weights: over(all.weights),
    contexts: over(all.contexts),
    outputs: over(all.outputs),
    last_state: state.h,
  };
}

/** What a step of a decoder sees: its context, and for Luong, who feeds it to the next step, the attentional state. */
interface Look {
  readonly start: Tensor | null;
  readonly at: (state: Tensor) => {
    readonly context: Tensor;
    readonly weights: Tensor;
    readonly output: Tensor;
  };
}

function bahdanau(inputs: Inputs, memory: Tensor): Look {
  const bias = inputs.maybe('b');
  const [queryWidth, hidden] = inputs.shape('W_q') as [number, number];
  const layer = additiveAttention(memory.device, {
    ...{ queryWidth, hidden, memoryWidth: memory.shape[2] as number, bias: bias !== undefined },
    parameters: {
      'query.weight': inputs.tensor('W_q').transpose(),
      'memory.weight': inputs.tensor('W_k').transpose(),
      ...(bias ? { 'memory.bias': bias } : {}),
      v: inputs.tensor('v'),
    },
  });
  const known = layer.remember(memory);
  const at = (state: Tensor) => {
    const { context, weights } = layer(state, known, { weights: true });
    return { context, weights, output: context };
  };
  return { start: null, at };
}

function luong(inputs: Inputs, memory: Tensor): Look {
  const [queryWidth, memoryWidth] = inputs.shape('W') as [number, number];
  const layer = multiplicativeAttention(memory.device, {
    ...{ queryWidth, memoryWidth, out: inputs.shape('W_c')[1] as number },
    parameters: {
      'memory.weight': inputs.tensor('W'),
      'attentional.weight': inputs.tensor('W_c').transpose(),
    },
  });
  const known = layer.remember(memory);
  return {
    start: layer.start(memory.shape[0] as number),
    at: (state) => layer(state, known, { weights: true }),
  };
}

/** What an attention wrapper of TensorFlow Addons is made of. */
interface Wrapped {
  readonly kernel: Tensor;
  readonly recurrent: Tensor;
  readonly bias: Tensor;
  readonly memoryKernel: Tensor;
  readonly queryKernel: Tensor | null;
  readonly v: Tensor | null;
  /** The direction's length, and the bias inside the tanh, where v is weight-normalised. */
  readonly g: Tensor | null;
  readonly b: Tensor | null;
  readonly attentionKernel: Tensor | null;
  readonly scale: number;
  readonly steps: number;
}

function given({ attributes, inputs }: Work): Wrapped {
  attributes.note('cell', 'encoder', 'order', 'attention_layer');
  if (attributes.flag('normalize') || attributes.flag('learned_scale'))
    unsupported('a normalised wrapper with given tensors');
  return {
    kernel: inputs.tensor('lstm.kernel'),
    recurrent: inputs.tensor('lstm.recurrent'),
    bias: inputs.tensor('lstm.bias'),
    memoryKernel: inputs.tensor('W_memory'),
    queryKernel: inputs.maybe('W_query') ?? null,
    v: inputs.maybe('v') ?? null,
    g: null,
    b: null,
    attentionKernel: inputs.maybe('W_attention') ?? null,
    scale: 1,
    steps: inputs.shape('decoder_inputs')[1] as number,
  };
}

const HIDDEN = 9;

/** The wrapper with every kernel of ones; the LSTM's bias is 0 but for the forget gate's, which is 1. */
function ofOnes({ attributes, inputs, device }: Work): Wrapped {
  const units = attributes.needed('units');
  const [, , depth] = inputs.shape('decoder_inputs') as [number, number, number];
  const [, , width] = inputs.shape('memory') as [number, number, number];
  const layer = attributes.flag('attention_layer');
  const attended = layer ? (inputs.shape('W_attention')[1] as number) : width;
  const additiveScore = attributes.choice('mechanism', ['bahdanau', 'luong']) === 'bahdanau';
  const normalized = attributes.flag('normalize');
  const one = (...shape: number[]): Tensor => ones(device, shape);
  const none = (...shape: number[]): Tensor => zeros(device, shape);
  return {
    kernel: one(depth + attended, 4 * HIDDEN),
    recurrent: one(HIDDEN, 4 * HIDDEN),
    bias: concat([none(HIDDEN), one(HIDDEN), none(2 * HIDDEN)]),
    memoryKernel: one(width, units),
    queryKernel: additiveScore ? one(HIDDEN, units) : null,
    v: additiveScore ? one(units) : null,
    g: normalized ? mul(one(1), Math.sqrt(1 / units)).reshape([]) : null,
    b: normalized ? none(units) : null,
    attentionKernel: layer ? inputs.tensor('W_attention') : null,
    scale: attributes.number('learned_scale', 1),
    steps: attributes.number('steps', Infinity),
  };
}

/** h, c = LSTM([input; attention before]); score over projected memory; attention = [h; context] W, or the context. */
function wrapper({ attributes, inputs }: Work, of: Wrapped) {
  const isMonotonic = attributes.flag('monotonic');
  const parallel = attributes.oneOf('monotonic_mode', ['parallel', 'recursive']) === 'parallel';
  const memory = inputs.tensor('memory');
  const lengths = inputs.maybe('memory_lengths');
  const [batch, length, width] = memory.shape as [number, number, number];
  const places = Array.from({ length }, (_, j) => j);
  const there = lengths
    ? stack(
        places.map((j) => lt(j, lengths)),
        { axis: 1 },
      )
    : null;
  const rows = there ? mul(memory, cast(there, memory.dtype).unsqueeze(-1)) : memory;
  const keys = matmul(rows, of.memoryKernel);
  const units = keys.shape[2] as number;
  const attend = attention({
    score: of.v ? additive({ hidden: units, bias: of.b !== null, normalized: of.g !== null }) : dot(),
    mask: lengths ? [padding()] : [],
    normalizer: softmax(),
  });
  // Keys are projected once, as here, so that the key's own kernel is the identity.
  const params: Record<string, Tensor> = of.v
    ? {
        w: (of.queryKernel as Tensor).transpose(),
        u: identity(keys),
        v: of.v,
        ...(of.b ? { b: of.b } : {}),
        ...(of.g ? { g: of.g } : {}),
      }
    : {};
  const call = { params, inputs: lengths ? { lengths } : {} };
  const empty = (size: number): Tensor => zeros(memory.device, [batch, size], { dtype: memory.dtype });
  const hidden = of.recurrent.shape[0] as number;
  let state: State = { h: empty(hidden), c: empty(hidden) };
  let attended = empty(of.attentionKernel ? (of.attentionKernel.shape[1] as number) : width);
  let alignment = concat([add(empty(1), 1), empty(length - 1)], { axis: 1 });
  const outputs: Tensor[] = [];
  const alignments: Tensor[] = [];
  const y = inputs.tensor('decoder_inputs');
  for (let t = 0; t < Math.min(of.steps, y.shape[1] as number); t++) {
    const sums = add(
      add(matmul(join(stepOf(y, t), attended), of.kernel), matmul(state.h, of.recurrent)),
      of.bias,
    );
    state = lstmStep(sums, state.c as Tensor);
    const query = of.scale === 1 ? state.h : mul(state.h, of.scale);
    if (isMonotonic) {
      const energies = attend.scores(query.unsqueeze(1), keys, call).squeeze(1);
      // Keys that are not there have a probability of zero.
      const p = there ? mul(sigmoid(energies), cast(there, energies.dtype)) : sigmoid(energies);
      alignment = monotonicStep(p, alignment, { mode: parallel ? 'parallel' : 'recursive' });
    } else {
      const { weights } = attend(query.unsqueeze(1), keys, rows, { ...call, weights: true });
      alignment = weights.squeeze(1);
    }
    const context = matmul(alignment.unsqueeze(1), rows).squeeze(1);
    attended = of.attentionKernel ? matmul(join(state.h, context), of.attentionKernel) : context;
    outputs.push(attended);
    alignments.push(alignment);
  }
  return {
    outputs: stack(outputs, { axis: 1 }),
    alignments: stack(alignments, { axis: 1 }),
    state,
    attended,
    alignment,
  };
}

function identity(keys: Tensor): Tensor {
  const units = keys.shape[2] as number;
  const rows = Array.from({ length: units }, (_, i) =>
    Array.from({ length: units }, (_, j) => Number(i === j)),
  );
  return tensor(keys.device, rows, { dtype: keys.dtype });
}

/** The wrapper of ones, compared by means over all elements. */
export const meansOfWrapper: Family = (work) => {
  const { outputs, alignments, state, attended, alignment } = wrapper(work, ofOnes(work));
  const overall = (of: Tensor): Tensor => mean(of).reshape([1]);
  return {
    mean_outputs: overall(outputs),
    mean_argmax: overall(cast(argmax(outputs, { axis: -1 }), 'float32')),
    mean_final_h: overall(state.h),
    mean_final_c: overall(state.c as Tensor),
    mean_final_attention: overall(attended),
    mean_final_alignments: overall(alignment),
    mean_alignment_history: overall(alignments),
  };
};
