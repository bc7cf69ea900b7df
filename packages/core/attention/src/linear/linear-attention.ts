// Linear attention: products of features in place of a softmax, so that keys and values are summed before a query asks.

import {
  add,
  arange,
  concat,
  DTypeError,
  div,
  equal,
  ge,
  matmul,
  ones,
  ShapeError,
  scope,
  Tensor,
  where,
} from '@heed/tensor';
import { checkCall, expectTensor, mayGive } from '../arguments.ts';
import { outline, settle } from '../define/declare.ts';
import { option } from '../define/option.ts';
import { eluPlusOne, type FeatureMap } from './features.ts';

export interface LinearAttentionOptions {
  /** `eluPlusOne` if left out. */
  readonly features?: FeatureMap;
  /** Whether a query sees the keys up to its own alone. */
  readonly causal?: boolean;
  /** How many queries are taken together where it is causal: the result is the same, the work chunk + features a pair. 64. */
  readonly chunk?: number;
  /** Added to the divisor: 1e-6 in the paper's code. 0 if left out. */
  readonly epsilon?: number;
}

export interface LinearCall {
  /** Keys that take part, booleans [batch, key]. */
  readonly allowed?: Tensor<'bool'>;
  /** What earlier keys left behind: their sums, of a call with `keep`. */
  readonly state?: Tensor;
  /** Ask for the sums of all keys so far, to go on from. */
  readonly keep?: boolean;
}

/** What comes out where the state is kept. */
export interface LinearAttended {
  readonly context: Tensor;
  /** [batch, keyHead, 1, features, valueFeature + 1]: sums of features times values, and of features. */
  readonly state: Tensor;
}

/** Linear attention, to be called. */
export interface LinearAttend {
  (query: Tensor, key: Tensor, value: Tensor, call: LinearCall & { readonly keep: true }): LinearAttended;
  (query: Tensor, key: Tensor, value: Tensor, call?: LinearCall): Tensor;
}

/**
 * context_i = sum over j of (phi(q_i) . phi(k_j)) v_j / sum over j of phi(q_i) . phi(k_j), in work that grows with the length and
 * not with its square: phi(k) vᵀ is summed once over keys, or, where causal, from chunk to chunk. Katharopoulos et al. 2020
 * (Transformers are RNNs, arXiv 2006.16236), equations 5 and 12. There are no scores, and so no modifiers, masks of pairs or
 * normalizers: this is an operator of its own beside `attention`.
 *
 * Shapes and groups of heads are those of `attention`. A query whose products are all zero has a context of zero, with
 * gradients of zero, where the paper's code adds an epsilon to the divisor, and so takes a little from every context.
 *
 * A decoder goes on from the state: `attend(query, key, value, { state, keep: true })` with the new rows alone.
 *
 * @throws ShapeError, DTypeError, ValueError.
 * @example linearAttention({ causal: true })(query, key, value)
 */
export function linearAttention(options: LinearAttentionOptions = {}): LinearAttend {
  const settled = settle(naming, knobs, options).options as unknown as Settled;
  const { features = eluPlusOne, causal, chunk, epsilon } = settled;
  const attend = (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: LinearCall = {},
  ): Tensor | LinearAttended => {
    for (const [name, one] of Object.entries({ query, key, value }))
      expectTensor('linearAttention', name, one);
    checkCall('linearAttention', takes, call);
    return scope(query.device, () => {
      const [q, k, v] = grouped(query, key, value, causal);
      const [there, mapped] = taken(k, v, call, features);
      const asking = features.of(q, 'query');
      checkState(call.state, mapped, v);
      // A value of ones beside the others sums the products themselves.
      const beside = concat(
        [there, ones(v.device, [...v.shape.slice(0, -1), 1], { dtype: v.dtype as 'float32' })],
        {
          axis: -1,
        },
      );
      const { both, state } = causal
        ? inChunks(asking, mapped, beside, chunk, call.state)
        : atOnce(asking, mapped, beside, call.state);
      const width = v.shape.at(-1) as number;
      const total = both.slice(-1, width, width + 1);
      const divisor = epsilon > 0 ? add(total, epsilon) : where(equal(total, 0), 1, total);
      const mean = div(both.slice(-1, 0, width), divisor);
      const context = mean.reshape([...query.shape.slice(0, -1), width]);
      return call.keep ? { context, state } : context;
    });
  };
  return attend as LinearAttend;
}

const naming = (knob?: string): string =>
  knob === undefined ? 'linearAttention' : `linearAttention: the option "${knob}"`;

const knobs = outline('operator', {
  name: 'linearAttention',
  options: {
    features: mayGive(
      'a feature map such as eluPlusOne',
      (value) =>
        typeof value === 'object' && value !== null && 'of' in value && typeof value.of === 'function',
    ),
    causal: option.boolean({ default: false }),
    chunk: option.integer({ min: 1, default: 64 }),
    epsilon: option.number({ min: 0, default: 0 }),
  },
});

type Settled = LinearAttentionOptions & Required<Omit<LinearAttentionOptions, 'features'>>;

const takes = {
  allowed: mayGive('a tensor of booleans', (value) => value instanceof Tensor),
  state: mayGive('a tensor, the state of an earlier call', (value) => value instanceof Tensor),
  keep: option.boolean({ optional: true }),
};

/** The sums that a call goes on from are those of rows like its own. */
function checkState(state: Tensor | undefined, features: Tensor, value: Tensor): void {
  const [batch, keyHeads, , , count] = features.shape as [number, number, number, number, number];
  const shape = [batch, keyHeads, 1, count, (value.shape.at(-1) as number) + 1];
  if (state && state.shape.join() !== shape.join())
    throw new ShapeError(
      `linearAttention: state expects [batch, keyHead, 1, features, valueFeature + 1] = [${shape.join(', ')}], got [${state.shape.join(', ')}]. ` +
        'It is what a call of as many heads and features gave with keep.',
    );
}

/** [batch, keyHead, group, length, feature]. */
function grouped(query: Tensor, key: Tensor, value: Tensor, causal: boolean): [Tensor, Tensor, Tensor] {
  for (const [name, one] of Object.entries({ query, key, value })) {
    if (one.rank !== query.rank || one.rank < 2 || one.rank > 4)
      throw new ShapeError(
        `linearAttention: query, key and value expect [batch, head, length, feature], or all without head, or without batch and head; ${name} is [${one.shape.join(', ')}], query is [${query.shape.join(', ')}].`,
      );
    if (!one.dtype.includes('float'))
      throw new DTypeError(
        `linearAttention: ${name} expects floats, got ${one}. Convert it with cast(${name}, 'float32').`,
      );
  }
  const lift = (one: Tensor): Tensor => {
    if (one.rank === 4) return one;
    return one.rank === 3 ? one.unsqueeze(1) : one.unsqueeze(0).unsqueeze(0);
  };
  const [q, k, v] = [lift(query), lift(key), lift(value)];
  const [batch, heads, queries] = q.shape as [number, number, number];
  const [, keyHeads, keys] = k.shape as [number, number, number];
  const shapes = `query is [${query.shape.join(', ')}], key is [${key.shape.join(', ')}], value is [${value.shape.join(', ')}]`;
  if (k.shape.slice(0, 3).join() !== v.shape.slice(0, 3).join() || k.shape[0] !== batch)
    throw new ShapeError(
      `linearAttention: key and value must have one length and equally many heads, and all three one batch: ${shapes}.`,
    );
  if (keyHeads === 0 || heads % keyHeads !== 0)
    throw new ShapeError(`linearAttention: the query's heads must be a multiple of the key's: ${shapes}.`);
  if (q.shape[3] !== k.shape[3])
    throw new ShapeError(`linearAttention: query and key must have one width: ${shapes}.`);
  if (causal && queries !== keys)
    throw new ShapeError(
      `linearAttention: causal needs as many queries as keys, each with its own: ${shapes}. For keys that came before, keep the state of their call.`,
    );
  return [
    q.reshape([batch, keyHeads, heads / keyHeads, queries, q.shape[3] as number]),
    k.unsqueeze(2),
    v.unsqueeze(2),
  ];
}

/** Values and features of the keys that take part, and zeros for the others, whatever they hold. */
function taken(k: Tensor, v: Tensor, { allowed }: LinearCall, features: FeatureMap): [Tensor, Tensor] {
  if (!allowed) return [v, features.of(k, 'key')];
  const [batch, , , keys] = k.shape as [number, number, number, number];
  if (
    allowed.dtype !== 'bool' ||
    allowed.rank !== 2 ||
    allowed.shape[1] !== keys ||
    ![1, batch].includes(allowed.shape[0] as number)
  )
    throw new ShapeError(
      `linearAttention: allowed expects booleans [batch, key] = [${batch}, ${keys}], got ${allowed}. True takes part.`,
    );
  const there = allowed.reshape([allowed.shape[0] as number, 1, 1, keys, 1]);
  const only = (of: Tensor): Tensor => where(there.expand(of.shape), of, 0);
  return [only(v), only(features.of(only(k), 'key'))];
}

interface Summed {
  readonly both: Tensor;
  readonly state: Tensor;
}

function atOnce(q: Tensor, k: Tensor, v: Tensor, before: Tensor | undefined): Summed {
  const sums = matmul(k, v, { transposeA: true });
  const state = before ? add(before, sums) : sums;
  return { both: matmul(q, state), state };
}

/** Within a chunk every pair, and from the chunks before their sums. */
function inChunks(q: Tensor, k: Tensor, v: Tensor, chunk: number, before: Tensor | undefined): Summed {
  const length = q.shape[3] as number;
  const empty = matmul(k.slice(3, 0, 0), v.slice(3, 0, 0), { transposeA: true });
  let state = before ?? empty;
  const done: Tensor[] = [];
  for (let from = 0; from < length; from += chunk) {
    const to = Math.min(length, from + chunk);
    const [qs, ks, vs] = [q, k, v].map((one) => one.slice(3, from, to)) as [Tensor, Tensor, Tensor];
    const places = arange(q.device, to - from);
    const products = matmul(qs, ks, { transposeB: true });
    const earlier = ge(places.unsqueeze(-1), places).expand(products.shape);
    done.push(add(matmul(where(earlier, products, 0), vs), matmul(qs, state)));
    state = add(state, matmul(ks, vs, { transposeA: true }));
  }
  return { both: done.length > 0 ? concat(done, { axis: 3 }) : matmul(q, state), state };
}
