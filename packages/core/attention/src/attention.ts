// attention: parts in, a function of tensors out.

import { DTypeError, type FloatDType, scope, type Tensor, ValueError } from '@heed/tensor';
import { checkCall, expectTensor, mayGive } from './arguments.ts';
import type { Attend, AttendCall, Attended, Explanation } from './call.ts';
import { type Checked, check } from './check.ts';
import { defineNormalizer } from './define/normalizer.ts';
import { type Option, option } from './define/option.ts';
import { explain } from './explain.ts';
import { createPreparer, type Prepared, type Preparer } from './prepare.ts';
import { remember } from './remember.ts';
import { isRecorded, type Results, run } from './run.ts';
import { type AttentionOptions, compose, type Spec } from './spec.ts';

/**
 * Composes an attention from its parts. Plans are made at the first call for a class of shapes and kept.
 *
 * @example
 * const attend = attention({ score: scaledDot(), mask: causal(), normalizer: softmax() });
 * const context = attend(query, key, value); // [batch, head, query, valueFeature]
 *
 * @throws NameError where two parts use one name for different things; DTypeError for what is no such part.
 */
export function attention(options: AttentionOptions): Attend {
  const asked = open(compose(options, false));
  // Dropout makes another program, so training has plans of its own.
  const training = options.dropout ? lazily(() => open(compose(options, true))) : () => asked;
  const raw = lazily(() =>
    open(compose({ score: options.score, modifiers: options.modifiers ?? [], normalizer: itself() }, false)),
  );

  const attend = (query: Tensor, key: Tensor, value: Tensor, call: AttendCall = {}): Tensor | Attended => {
    expectArguments({ query, key, value }, call);
    const opened = isTraining(options, call) ? training() : asked;
    // Views and rows made on the way end here, but for what the gradient needs.
    return scope(query.device, () => {
      const { results, rank } = perform(opened, query, key, value, call);
      const { context, weights, level } = results;
      if (!call.weights && !call.level) return lower(context, rank);
      return {
        context: lower(context, rank),
        ...(call.weights && weights ? { weights: lower(weights, rank) } : {}),
        ...(call.level && level ? { level: lower(level, rank) } : {}),
      };
    });
  };

  const scores = (query: Tensor, key: Tensor, call: AttendCall = {}): Tensor => {
    expectArguments({ query, key }, call);
    const { spec } = raw();
    const { params, inputs, uniforms } = call;
    return scope(query.device, () => {
      // A value without features: only the weights are asked for, which here are the scores themselves.
      const { results, rank } = perform(raw(), query, key, key.slice(-1, 0, 0), {
        params: among(params, spec.params),
        inputs: among(inputs, spec.inputs),
        uniforms: among(uniforms, spec.uniforms),
        weights: true,
      });
      return lower(results.weights as Tensor, rank);
    });
  };

  const account = (query: Tensor, key: Tensor, value: Tensor, call: AttendCall = {}): Explanation => {
    expectArguments({ query, key, value }, call);
    const { spec, prepare } = isTraining(options, call) ? training() : asked;
    return scope(query.device, () => {
      const checked = check(spec, query, key, value, call);
      return explain(query.device, spec, preparedFor(prepare, spec, query, checked, call), checked);
    });
  };

  const { parts } = asked.spec;
  const label = parts.map((part) => part.label).join(' | ');
  return Object.assign(attend as Attend, { scores, explain: account, parts, label });
}

const byName = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const tensorsByName = mayGive('an object of tensors by name', byName);

/** What may go with the rows. */
const takes: Readonly<Record<keyof AttendCall, Option<unknown>>> = {
  params: tensorsByName,
  inputs: tensorsByName,
  uniforms: mayGive('an object of numbers by name', byName),
  weights: mayGive('true, false or { pool }', (value) => typeof value === 'boolean' || byName(value)),
  level: option.boolean({ optional: true }),
  train: option.boolean({ optional: true }),
  seed: mayGive('a whole number of 32 bits', Number.isInteger),
};

function expectArguments(rows: Readonly<Record<string, unknown>>, call: AttendCall): void {
  for (const name in rows) expectTensor('attention', name, rows[name]);
  checkCall('attention', takes, call);
}

interface Opened {
  readonly spec: Spec;
  readonly prepare: Preparer;
}

const open = (spec: Spec): Opened => ({ spec, prepare: createPreparer(spec) });

/** Weights that are the scores. */
const itself = defineNormalizer({ name: 'itself', weight: ({ score }) => score, level: 'none' });

function perform(
  { spec, prepare }: Opened,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  call: AttendCall,
): { results: Results; rank: number } {
  const checked = check(spec, query, key, value, call);
  const prepared = preparedFor(prepare, spec, query, checked, call);
  return { results: run(query.device, prepared, checked), rank: checked.rank };
}

function preparedFor(
  prepare: Preparer,
  spec: Spec,
  query: Tensor,
  checked: Checked,
  call: AttendCall,
): Prepared {
  const leveled = spec.normalizer.level.by !== 'none';
  if (call.level && !leveled) {
    const normalizer = spec.parts.find(({ kind }) => kind === 'normalizer');
    throw new DTypeError(
      `attention: \`level\` was asked for, but ${normalizer?.label} weighs each score by itself and has no level.`,
    );
  }
  const { weights = false } = call;
  if (typeof weights === 'object' && !(Number.isSafeInteger(weights.pool) && weights.pool >= 1)) {
    throw new ValueError(
      `attention: weights.pool expects a whole number of at least 1, got ${String(weights.pool)}.`,
    );
  }
  // The gradient is recomputed from the levels, so a recorded call keeps them.
  const level = leveled && (call.level === true || isRecorded(query.device, checked));
  return prepare(checked, { level, weights }, query.dtype as FloatDType);
}

function isTraining({ dropout = 0 }: AttentionOptions, { train, seed }: AttendCall): boolean {
  if (dropout === 0) return false;
  if (train === undefined) {
    throw new ValueError(
      'attention: with dropout each call must say whether it trains: { train: true, seed } or { train: false }.',
    );
  }
  if (train && !(Number.isInteger(seed) && Math.abs(seed as number) < 2 ** 31)) {
    throw new ValueError(
      `attention: training with dropout needs a seed, a whole number of 32 bits: { train: true, seed: 1 }. Got ${String(seed)}. The same seed drops the same pairs; give each step its own.`,
    );
  }
  return train;
}

/** Without the leading axes that the query did not have. */
const lower = (tensor: Tensor, rank: number): Tensor =>
  rank === 4 ? tensor : rank === 3 ? tensor.squeeze(1) : tensor.squeeze([0, 1]);

const among = <V>(
  given: Readonly<Record<string, V>> = {},
  declared: Readonly<Record<string, unknown>>,
): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(declared, name)));

function lazily<T>(make: () => T): () => T {
  const made = new Map<'made', T>();
  return () => remember(made, 'made', make);
}
