// torch.nn.GRU, LSTM and RNN as loops over steps.

import {
  add,
  cast,
  concat,
  lt,
  mul,
  sigmoid,
  stack,
  sub,
  type Tensor,
  tanh,
  where,
  zeros,
} from '@heed/tensor';
import type { Family, Work } from '../family.ts';
import { project } from './multi-head.ts';

/** What a cell remembers: its output, and for an LSTM its inner state. */
export interface State {
  readonly h: Tensor;
  readonly c: Tensor | null;
}

/** One step: the input [batch, feature] and the state before, the state after. */
export type Cell = (x: Tensor, before: State) => State;

/** The tensors of a cell: weights [gates * hidden, in], biases [gates * hidden]. */
interface CellTensors {
  readonly input: Tensor;
  readonly hidden: Tensor;
  readonly inputBias: Tensor | undefined;
  readonly hiddenBias: Tensor | undefined;
}

/** The parts of [batch, gates * hidden], one for each gate. */
const gates = (of: Tensor, count: number): Tensor[] => {
  const width = (of.shape[1] as number) / count;
  return Array.from({ length: count }, (_, i) => of.slice(1, i * width, (i + 1) * width));
};

/** Gates in the order r, z, n; the reset gate multiplies after the product, as in cuDNN. */
export const gru =
  ({ input, hidden, inputBias, hiddenBias }: CellTensors): Cell =>
  (x, { h }) => {
    const [xr, xz, xn] = gates(project(x, input, inputBias), 3) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = gates(project(h, hidden, hiddenBias), 3) as [Tensor, Tensor, Tensor];
    const r = sigmoid(add(xr, hr));
    const z = sigmoid(add(xz, hz));
    const n = tanh(add(xn, mul(r, hn)));
    return { h: add(mul(sub(1, z), n), mul(z, h)), c: null };
  };

/** Gates in the order i, f, g, o, from their sums. */
export function lstmStep(sums: Tensor, c: Tensor): State {
  const [i, f, g, o] = gates(sums, 4) as [Tensor, Tensor, Tensor, Tensor];
  const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
  return { h: mul(sigmoid(o), tanh(next)), c: next };
}

const lstm =
  ({ input, hidden, inputBias, hiddenBias }: CellTensors): Cell =>
  (x, { h, c }) =>
    lstmStep(add(project(x, input, inputBias), project(h, hidden, hiddenBias)), c as Tensor);

const plain =
  ({ input, hidden, inputBias, hiddenBias }: CellTensors): Cell =>
  (x, { h }) => ({ h: tanh(add(project(x, input, inputBias), project(h, hidden, hiddenBias))), c: null });

const cells = { GRU: gru, LSTM: lstm, RNN: plain } as const;

export const recurrent: Family = (work) => {
  const { attributes, inputs } = work;
  attributes.note('input_size', 'hidden_size', 'batch_first', 'bias', 'gate_order');
  const kind = attributes.choice('cell', ['GRU', 'LSTM', 'RNN']);
  const layers = attributes.number('num_layers', 1);
  const ways = attributes.flag('bidirectional') ? ['', '_reverse'] : [''];
  let x = inputs.tensor('x');
  const finals: State[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const outputs = ways.map((way, direction) => {
      const named = (name: string): string => `${name}_l${layer}${way}`;
      const cell = cells[kind]({
        input: inputs.tensor(named('weight_ih')),
        hidden: inputs.tensor(named('weight_hh')),
        inputBias: inputs.maybe(named('bias_ih')),
        hiddenBias: inputs.maybe(named('bias_hh')),
      });
      const { out, last } = pass(
        work,
        x,
        cell,
        startOf(work, x, layer * ways.length + direction, kind),
        way !== '',
      );
      finals.push(last);
      return out;
    });
    x = outputs.length === 1 ? (outputs[0] as Tensor) : concat(outputs, { axis: -1 });
  }
  const all = (of: (state: State) => Tensor): Tensor => stack(finals.map(of), { axis: 0 });
  return { out: x, h_n: all(({ h }) => h), ...(kind === 'LSTM' ? { c_n: all(({ c }) => c as Tensor) } : {}) };
};

function startOf({ inputs, device }: Work, x: Tensor, at: number, kind: string): State {
  const width = inputs.shape('weight_hh_l0')[1] as number;
  const none = (): Tensor => zeros(device, [x.shape[0] as number, width], { dtype: x.dtype });
  const given = (name: string): Tensor =>
    inputs
      .maybe(name)
      ?.slice(0, at, at + 1)
      .squeeze(0) ?? none();
  return { h: given('h0'), c: kind === 'LSTM' ? given('c0') : null };
}

/** One way through the sequence. Steps beyond a sequence's end leave its state and give zeros. */
function pass({ inputs }: Work, x: Tensor, cell: Cell, start: State, backwards: boolean) {
  const length = x.shape[1] as number;
  const lengths = inputs.maybe('lengths');
  const outputs: Tensor[] = [];
  let state = start;
  for (let n = 0; n < length; n++) {
    const t = backwards ? length - 1 - n : n;
    const after = cell(x.slice(1, t, t + 1).squeeze(1), state);
    if (!lengths) {
      state = after;
      outputs[t] = after.h;
      continue;
    }
    const within = lt(t, lengths).unsqueeze(-1);
    outputs[t] = mul(after.h, cast(within, after.h.dtype));
    state = {
      h: where(within, after.h, state.h),
      c: after.c && state.c ? where(within, after.c, state.c) : null,
    };
  }
  return { out: stack(outputs, { axis: 1 }), last: state };
}
