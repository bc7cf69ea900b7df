// Several attentions side by side, each on its own projection of the rows.

import { type AttentionOptions, option } from '@heed/attention';
import {
  defineLayer,
  type Given,
  type KeyValueCache,
  lengthsFor,
  linear,
  type PartsCall,
  type Places,
  partOptions,
  type Rotary,
  valueOption,
} from '@heed/nn';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { ShapeError, Tensor, ValueError } from '@heed/tensor';
import { besideExtraKeys, extraKeys, padInputs } from './extra-keys.ts';
import { headNorm } from './head-norm.ts';
import { type HeadsAttention, plainHeads } from './plain-heads.ts';
import { relativeVectors, withRelativeValues } from './relative-values.ts';
import { batched, lowered, merge, split } from './rows.ts';
import { talkingHeads } from './talking-heads.ts';

/** What goes with the rows of one call. */
export interface MultiHeadCall extends PartsCall, Pick<Places, 'positions'> {
  /** Asks for the weights of every head, whole or pooled. The output is the same either way. */
  readonly weights?: boolean | { readonly pool: number };
  /** The rows before these: keys and values are added to it, and the cache after this call is returned. */
  readonly cache?: KeyValueCache;
}

/** What a call gives that asked for weights, or brought a cache. */
export interface MultiHeadResult {
  /** [batch, query, out]. */
  readonly output: Tensor;
  /** [batch, head, query, key], or pooled; keys that belong to no row come last. */
  readonly weights?: Tensor;
  readonly cache?: KeyValueCache;
}

/** The output alone, or with what was asked for. */
export type MultiHeadGiven<C> = Given<C, MultiHeadResult>;

/** Keys and values that are projected already, [batch, keyHead, key, feature]. */
export interface Memory {
  readonly kind: 'memory';
  readonly key: Tensor;
  readonly value: Tensor;
  readonly batched: boolean;
  dispose(): void;
}

/** A layer of several heads, to be called. Rows are [batch, length, width], or [length, width]. */
export interface MultiHead {
  /** Self-attention: rows [batch, length, width] to [batch, length, out]. */
  <const C extends MultiHeadCall = {}>(rows: Tensor, call?: C): MultiHeadGiven<C>;
  /** Attention of queries over other rows, or over a memory that `remember` projected. */
  <const C extends MultiHeadCall = {}>(query: Tensor, memory: Tensor | Memory, call?: C): MultiHeadGiven<C>;
  /** Keys [batch, key, keyWidth] and values [batch, key, valueWidth] of their own. */
  <const C extends MultiHeadCall = {}>(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call?: C,
  ): MultiHeadGiven<C>;
  /** Projects keys and values once, for queries that come one after another. */
  readonly remember: (key: Tensor, value?: Tensor) => Memory;
}

/**
 * concat(head_1, ..., head_h) W_O with head_i = Attention(q W_Q^i, k W_K^i, v W_V^i). Vaswani et al. 2017 (arXiv 1706.03762),
 * section 3.2.2. With fewer key heads it is multi-query (Shazeer 2019, arXiv 1911.02150) or grouped-query attention (Ainslie et
 * al. 2023, arXiv 2305.13245): query head h uses key head floor(h keyHeads / heads).
 *
 * Parameters: `query.weight` [heads headWidth, width], `key.weight` [keyHeads headWidth, keyWidth], `value.weight` [keyHeads
 * valueHeadWidth, valueWidth], `output.weight` [out, heads valueHeadWidth], Glorot uniform; their biases, which start at 0; what
 * the options bring; and those of the parts, `attention.w`, ... `fromPyTorch` and `fromKeras` bring the weights of those libraries.
 *
 * Without parts it is scaled dot products and softmax over all keys. With a cache, masks that compare positions need
 * `align: 'end'`.
 *
 * @throws ShapeError, ValueError for widths and heads that do not divide; what the attention throws.
 * @example multiHead(device, { width: 64, heads: 8, mask: causal(), seed: 1 })(rows)
 */
export const multiHead = defineLayer({
  name: 'multi-head',
  options: {
    /** The width of the rows that ask, and of what comes out unless `out` says otherwise. */
    width: option.integer({ min: 1 }),
    /** How many heads ask. */
    heads: option.integer({ min: 1 }),
    /** How many heads of keys and values there are; as many as `heads` if left out. */
    keyHeads: option.integer({ min: 1, optional: true }),
    /** The width of the rows that keys are made of: PyTorch's `kdim`. */
    keyWidth: option.integer({ min: 1, optional: true }),
    /** The width of the rows that values are made of: PyTorch's `vdim`. */
    valueWidth: option.integer({ min: 1, optional: true }),
    /** The width of a query and a key in a head; width / heads if left out. */
    headWidth: option.integer({ min: 1, optional: true }),
    /** The width of a value in a head; `headWidth` if left out. */
    valueHeadWidth: option.integer({ min: 1, optional: true }),
    /** The width of what comes out. */
    out: option.integer({ min: 1, optional: true }),
    /** Whether projections add a trained vector. */
    bias: option.boolean({ default: true }),
    /** Whether the last projection does; as `bias` if left out. */
    outputBias: option.boolean({ optional: true }),
    /** One key and value more, trained: PyTorch's `add_bias_kv`. */
    learnedKey: option.boolean({ default: false }),
    /** One key and value more, of zeros: PyTorch's `add_zero_attn`. */
    zeroKey: option.boolean({ default: false }),
    /** Turns queries and keys by their positions: `rotary({ layout: 'halves' })`. */
    rotary: valueOption<Rotary>(
      "rotary positions such as rotary({ layout: 'halves' })",
      (value) => typeof value === 'function' && 'kind' in value && value.kind === 'rotary',
    ),
    /**
     * Normalises each head's queries and keys before they are turned and compared: by their mean square (Qwen 3, Gemma 3), or
     * as a layer norm (Dehghani et al. 2023, arXiv 2302.05442). For unit length (Henry et al. 2020, arXiv 2010.04245) take the
     * score `cosine`.
     */
    queryKeyNorm: option.oneOf('none', 'rms', 'layer'),
    /**
     * Mixes scores and weights among heads by trained matrices (Shazeer et al. 2020, arXiv 2003.02436). This reads all heads of a
     * pair at once, so scores and weights are kept in memory, heads x queries x keys each.
     */
    talkingHeads: option.boolean({ default: false }),
    /**
     * How many distances there is a trained vector for that is added to values, an odd number: n either way and 0 between them
     * (Shaw et al. 2018, arXiv 1803.02155, equation 3). Beside the modifier `relativeKeys({ distances })`, which is the same for
     * keys. Weights are kept in memory, heads x queries x keys.
     */
    relativeValues: option.integer({ min: 1, optional: true }),
    ...partOptions,
  },
  make: (options, build) => {
    const { width, heads, bias, outputBias = bias, rotary } = options;
    const { keyHeads = heads, keyWidth = width, valueWidth = width, out = width } = options;
    const headWidth = options.headWidth ?? dividedBy(width, heads);
    const { valueHeadWidth = headWidth } = options;
    if (heads % keyHeads !== 0) {
      throw new ValueError(
        `multi-head: the option "keyHeads" must divide heads, got ${keyHeads} and ${heads}. Query head h uses key head floor(h keyHeads / heads).`,
      );
    }
    const project = {
      query: build.add('query', linear, { in: width, out: heads * headWidth, bias }),
      key: build.add('key', linear, { in: keyWidth, out: keyHeads * headWidth, bias }),
      value: build.add('value', linear, { in: valueWidth, out: keyHeads * valueHeadWidth, bias }),
      output: build.add('output', linear, { in: heads * valueHeadWidth, out, bias: outputBias }),
    };
    const norm = {
      query: headNorm(build, 'queryNorm', options.queryKeyNorm, headWidth),
      key: headNorm(build, 'keyNorm', options.queryKeyNorm, headWidth),
    };
    const extra = extraKeys(build, options, keyHeads, headWidth, valueHeadWidth);
    const parts: AttentionOptions = {
      score: options.score ?? scaledDot(),
      normalizer: options.normalizer ?? softmax(),
      mask: options.mask ?? [],
      modifiers: options.modifiers ?? [],
      reweight: options.reweight ?? [],
      dropout: options.dropout,
    };
    const composed = extra.count > 0 ? { ...parts, ...besideExtraKeys(parts, extra.count) } : parts;
    const of = {
      heads,
      sizes: {
        feature: headWidth,
        queryFeature: headWidth,
        keyFeature: headWidth,
        valueFeature: valueHeadWidth,
      },
    };
    const attend: HeadsAttention = (options.talkingHeads ? talkingHeads : plainHeads)(build, composed, of);

    const placed = relativeVectors(build, options.relativeValues, valueHeadWidth);
    const attendAt = placed ? withRelativeValues(attend, placed, extra.count) : () => attend;

    const turned = (rows: Tensor, places: Places): Tensor => (rotary ? rotary(rows, places) : rows);
    const projected = (key: Tensor, value: Tensor, places: Places) => ({
      key: turned(norm.key(split(project.key(key), keyHeads)), places),
      value: split(project.value(value), keyHeads),
    });
    const lengthsOf = lengthsFor('multi-head', build.device, parts);

    const layer = (...given: readonly unknown[]): Tensor | MultiHeadResult => {
      const { query, source, call } = read(given);
      const { cache, positions } = call;
      // The first row stands where the cache ends.
      const placesOf = (rows: Tensor): Places =>
        positions ? { positions } : (cache?.places(rows.shape[1] as number) ?? {});
      const asking = batched('multi-head', 'query', query, width);
      const q = turned(norm.query(split(project.query(asking.rows), heads)), placesOf(asking.rows));
      const own = (name: string, rows: Tensor, width: number) =>
        batched('multi-head', name, rows, width).rows;
      const fresh =
        'kind' in source
          ? source
          : projected(
              own('key', source.key, keyWidth),
              own('value', source.value, valueWidth),
              placesOf(own('key', source.key, keyWidth)),
            );
      const known = cache ? cache.add(fresh.key, fresh.value) : { ...fresh, lengths: null, cache: null };
      try {
        const inputs = { ...call.inputs, ...lengthsOf(known.lengths) };
        const standing = { cached: Boolean(cache), lengths: known.lengths };
        const { context, weights } = attendAt(standing)(q, extra.key(known.key), extra.value(known.value), {
          ...call,
          inputs: extra.count > 0 ? padInputs(attend.parts, inputs, extra.count) : inputs,
        });
        const output = lowered(project.output(merge(context)), asking.batched);
        if (!call.weights && !cache) return output;
        return {
          output,
          ...(weights ? { weights: lowered(weights, asking.batched) } : {}),
          ...(known.cache ? { cache: known.cache } : {}),
        };
      } catch (problem) {
        // A cache that nobody will see.
        known.cache?.dispose();
        throw problem;
      }
    };

    return Object.assign(layer as unknown as Omit<MultiHead, 'remember'>, {
      remember: (key: Tensor, value: Tensor = key): Memory => {
        const rows = batched('multi-head', 'key', key, keyWidth);
        const made = projected(rows.rows, batched('multi-head', 'value', value, valueWidth).rows, {});
        return {
          kind: 'memory',
          ...made,
          batched: rows.batched,
          dispose: () => {
            made.key.dispose();
            made.value.dispose();
          },
        };
      },
    }) as MultiHead;
  },
});

function dividedBy(width: number, heads: number): number {
  if (width % heads === 0) return width / heads;
  throw new ValueError(
    `multi-head: a width of ${width} is not divided by ${heads} heads. Give the option headWidth, the width of one head.`,
  );
}

interface Read {
  readonly query: Tensor;
  readonly source: Memory | { readonly key: Tensor; readonly value: Tensor };
  readonly call: MultiHeadCall;
}

/** Tells rows from what goes with them. */
function read(given: readonly unknown[]): Read {
  const last = given.at(-1);
  const isCall = !(last instanceof Tensor) && !isMemory(last);
  const rows = isCall ? given.slice(0, -1) : given;
  const call = ((isCall ? last : undefined) ?? {}) as MultiHeadCall;
  const [query, key = query, value = key] = rows;
  const fits = isMemory(key) ? rows.length === 2 : [query, key, value].every((one) => one instanceof Tensor);
  if (rows.length > 3 || !fits || !(query instanceof Tensor) || typeof call !== 'object') {
    throw new ShapeError(
      'multi-head: expected layer(rows), layer(query, memory) or layer(query, key, value), and then what goes with them: ' +
        `{ weights: true }. Got ${given.map(String).join(', ') || 'nothing'}.`,
    );
  }
  if (!isMemory(key)) return { query, source: { key: key as Tensor, value: value as Tensor }, call };
  if (call.cache)
    throw new ValueError('multi-head: a memory is complete, and a cache grows. Give one of them.');
  return { query, source: key, call };
}

const isMemory = (value: unknown): value is Memory =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'memory';
