// The door of a call: every tensor is checked against what was declared, and laid out [...along, ...lookups, ...dims].

import { describeType, didYouMean, type Sizes, sizeOf, type Type } from '@heed/expr';
import {
  type AttendInput,
  type Axis,
  DTypeError,
  dtypes,
  NameError,
  ShapeError,
  type Tensor,
  ValueError,
} from '@heed/tensor';
import { expectTensor } from './arguments.ts';
import type { AttendCall } from './call.ts';
import { knobOf } from './define/declare.ts';
import type { Lengths, Part } from './part.ts';
import { inOrder } from './place.ts';
import type { Spec } from './spec.ts';

/** A tensor in the layout of its declaration, along the axes that it really varies along. */
export interface Bound {
  readonly input: AttendInput;
  readonly tensor: Tensor;
}

/** The call, checked: what a plan is made from and what runs through it. */
export interface Checked {
  readonly bound: Readonly<Record<string, Bound>>;
  /** The lengths of the axes, by axis. */
  readonly lengths: Readonly<Record<Axis, number>>;
  /** The sizes of dims. */
  readonly sizes: Sizes;
  readonly uniforms: Readonly<Record<string, number>>;
  /** The rank of the query given: the results lose the axes that it did not have. */
  readonly rank: number;
}

const words: Readonly<Record<number, string>> = {
  2: '[length, feature]',
  3: '[batch, length, feature]',
  4: '[batch, head, length, feature]',
};

/** The lengths as formulas and parts know them. */
export const lengthsOf = ({ batch, head, keyHead, query, key }: Checked['lengths']): Lengths => ({
  batches: batch,
  heads: head,
  keyHeads: keyHead,
  queryLength: query,
  keyLength: key,
});

/**
 * Checks the tensors of a call.
 *
 * @throws ShapeError, DTypeError, NameError, ValueError.
 */
export function check(spec: Spec, query: Tensor, key: Tensor, value: Tensor, call: AttendCall): Checked {
  const rows = { query, key, value };
  for (const [name, tensor] of Object.entries(rows)) checkRows(name, tensor, query);
  const q = lift(query);
  const k = lift(key);
  const v = lift(value);
  const [, head, queryLength, queryFeature] = q.shape as Quad;
  const [, keyHead, keyLength, keyFeature] = k.shape as Quad;
  const [, valueHead, valueLength, valueFeature] = v.shape as Quad;
  if (valueLength !== keyLength) {
    throw new ShapeError(
      `attention: key and value must have one length: key is ${shaped(key)}, value is ${shaped(value)}. Each key has one value.`,
    );
  }
  if (valueHead !== keyHead) {
    throw new ShapeError(
      `attention: key and value must have equally many heads: key is ${shaped(key)}, value is ${shaped(value)}.`,
    );
  }
  if (keyHead === 0 ? head !== 0 : head % keyHead !== 0) {
    throw new ShapeError(
      `attention: the query's heads must be a multiple of the key's: query is ${shaped(query)}, key is ${shaped(key)}. ` +
        'Query head h attends to key head floor(h * keyHeads / heads).',
    );
  }
  if (spec.widths === 'shared' && queryFeature !== keyFeature) {
    throw new ShapeError(
      `attention: ${(spec.parts[0] as Part).label} compares rows of one width: query is ${shaped(query)}, key is ${shaped(key)}. ` +
        'Project one of them, or use a score with separate widths (general, additive, concat).',
    );
  }
  const lengths = { batch: batchOf([q, k, v], rows), head, keyHead, query: queryLength, key: keyLength };
  const widths = spec.widths === 'shared' ? { feature: queryFeature } : { queryFeature, keyFeature };
  const tensors = {
    ...named('params', spec.params, call.params),
    ...named('inputs', spec.inputs, call.inputs),
  };
  const declared: Readonly<Record<string, { type: Type; along: readonly Axis[] }>> = {
    ...spec.params,
    ...spec.inputs,
  };
  const sizes: Record<string, number> = {
    ...widths,
    valueFeature,
    ...learnSizes(spec, declared, tensors, { ...widths, valueFeature }),
  };

  const bound: Record<string, Bound> = {
    q: bind('query', q, rowType(spec, 'q'), ['batch', 'head', 'query'], lengths, sizes),
    k: bind('key', k, rowType(spec, 'k'), ['batch', 'keyHead', 'key'], lengths, sizes),
    value: bind('value', v, vecOf('valueFeature'), ['batch', 'keyHead', 'key'], lengths, sizes),
  };
  for (const [name, { type, along }] of Object.entries(declared)) {
    const tensor = tensors[name] as Tensor;
    if (tensor.device !== query.device)
      throw new DTypeError(
        `attention: "${name}" lives on another device than the query. Make all tensors of a call on one device.`,
      );
    if (dtypes[tensor.dtype].element !== type.element) {
      throw new DTypeError(
        `attention: "${name}" is declared as ${describeType(type)}, got ${tensor}. ${advice(type, tensor)}`,
      );
    }
    bound[name] = bind(`"${name}"`, tensor, type, along, lengths, sizes);
  }
  // Last, so that sizes are those of tensors that fit.
  const complaint = spec.refuse(lengthsOf(lengths), sizes);
  if (complaint !== null) throw new ShapeError(`attention: ${complaint}`);
  return { bound, lengths, sizes, uniforms: uniformsOf(spec, call), rank: query.rank };
}

type Quad = readonly [number, number, number, number];

const vecOf = (dim: string): Type => ({ element: 'float', dims: [dim], lookups: 0 });
const rowType = ({ widths }: Spec, row: 'q' | 'k'): Type =>
  vecOf(widths === 'shared' ? 'feature' : row === 'q' ? 'queryFeature' : 'keyFeature');

const shaped = (tensor: Tensor): string =>
  `${words[tensor.rank] ?? ''} = [${tensor.shape.join(', ')}]`.trim();

function checkRows(name: string, tensor: Tensor, query: Tensor): void {
  if (dtypes[tensor.dtype].element !== 'float') {
    throw new DTypeError(
      `attention: ${name} expects floats, got ${tensor}. Convert it with cast(${name}, 'float32').`,
    );
  }
  if (tensor.rank < 2 || tensor.rank > 4) {
    throw new ShapeError(`attention: ${name} expects ${Object.values(words).join(', or ')}, got ${tensor}.`);
  }
  if (tensor.rank !== query.rank) {
    throw new ShapeError(
      `attention: query, key and value must have one rank: query is ${shaped(query)}, ${name} is ${shaped(tensor)}. ` +
        'Add axes of size one with unsqueeze(axis).',
    );
  }
  if (tensor.device !== query.device) {
    throw new DTypeError(
      `attention: ${name} lives on another device than the query. Make all tensors of a call on one device.`,
    );
  }
}

/** [batch, head, length, feature]. */
function lift(tensor: Tensor): Tensor {
  if (tensor.rank === 4) return tensor;
  return tensor.rank === 3 ? tensor.unsqueeze(1) : tensor.unsqueeze(0).unsqueeze(0);
}

function batchOf(tensors: readonly Tensor[], rows: Readonly<Record<string, Tensor>>): number {
  const batches = tensors.map(({ shape }) => shape[0] as number);
  const batch = batches.find((size) => size !== 1) ?? 1;
  if (batches.some((size) => size !== 1 && size !== batch)) {
    const all = Object.entries(rows).map(([name, tensor]) => `${name} is ${shaped(tensor)}`);
    throw new ShapeError(`attention: batches must be equal, or 1 to be repeated: ${all.join(', ')}.`);
  }
  return batch;
}

/** Exactly the declared tensors. */
function named(
  group: 'params' | 'inputs',
  declared: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, Tensor>> = {},
): Record<string, Tensor> {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    const known = Object.keys(declared);
    throw new NameError(
      `attention: ${group} has "${name}", which no part declares.${didYouMean(name, known)} ` +
        (known.length > 0
          ? `Declared: ${known.join(', ')}.`
          : `The parts of this attention take no ${group}.`),
    );
  }
  for (const name of Object.keys(declared)) {
    if (given[name] !== undefined) {
      expectTensor('attention', `"${name}"`, given[name]);
      continue;
    }
    throw new NameError(
      `attention: ${group} needs "${name}". Call attend(query, key, value, { ${group}: { ${Object.keys(declared).join(', ')} } })` +
        `${group === 'params' ? '; parameters(attend, ...) makes a set to start with' : ''}.`,
    );
  }
  return { ...given };
}

/** Dims that parts introduce have the size that most of the tensors given agree on, or else their default. */
function learnSizes(
  spec: Spec,
  declared: Readonly<Record<string, { type: Type; along: readonly Axis[] }>>,
  tensors: Readonly<Record<string, Tensor>>,
  known: Sizes,
): Sizes {
  const found = new Map<string, number[]>();
  for (const [name, { type, along }] of Object.entries(declared)) {
    const tensor = tensors[name] as Tensor;
    // Of a tensor of another rank nobody knows which axis is which.
    const inner = type.lookups + type.dims.length;
    if (tensor.rank < inner || tensor.rank > along.length + inner) continue;
    type.dims.forEach((dim, i) => {
      const size = tensor.shape[tensor.rank - type.dims.length + i];
      if (size === undefined || !Object.hasOwn(spec.sizes, dim) || Object.hasOwn(known, dim)) return;
      found.set(dim, [...(found.get(dim) ?? []), size]);
    });
  }
  const most = (sizes: readonly number[]): number =>
    sizes.reduce((best, one) => (count(sizes, one) > count(sizes, best) ? one : best));
  return { ...spec.sizes, ...Object.fromEntries([...found].map(([dim, sizes]) => [dim, most(sizes)])) };
}

const count = (of: readonly number[], one: number): number => of.filter((other) => other === one).length;

/** Lays a tensor out as declared; axes along which it only repeats itself are left out. */
function bind(
  name: string,
  tensor: Tensor,
  type: Type,
  along: readonly Axis[],
  lengths: Checked['lengths'],
  sizes: Sizes,
): Bound {
  const entries = Array.from({ length: type.lookups }, () => 'entries');
  const wanted = [...along, ...entries, ...type.dims];
  const inner = type.lookups + type.dims.length;
  const expected = [
    ...along.map((axis) => lengths[axis]),
    ...Array.from({ length: type.lookups }, (_, i) => tensor.shape[tensor.rank - inner + i] ?? -1),
    ...type.dims.map((dim) => sizeOf(dim, sizes) ?? -1),
  ];
  const lead = wanted.length - tensor.rank;
  const fits =
    lead >= 0 &&
    inner <= tensor.rank &&
    tensor.shape.every((size, i) => size === expected[lead + i] || (size === 1 && lead + i < along.length));
  if (!fits) {
    const square =
      tensor.rank === wanted.length &&
      inner === 2 &&
      tensor.shape[tensor.rank - 1] === expected[expected.length - 2] &&
      tensor.shape[tensor.rank - 2] === expected[expected.length - 1];
    const free = (at: number): boolean => at >= along.length && at < along.length + type.lookups;
    const numbers = expected.map((size, at) => (size < 0 || free(at) ? 'any' : size));
    const needed =
      wanted.length === 0 ? 'one number, of shape []' : `[${wanted.join(', ')}] = [${numbers.join(', ')}]`;
    throw new ShapeError(
      `attention: ${name} must be ${needed}, ` +
        `got [${tensor.shape.join(', ')}].${square ? ' It looks transposed.' : ''}${along.length > 0 ? ' Leading axes may be left out or be 1.' : ''}`,
    );
  }
  const full =
    tensor.shape.length === wanted.length
      ? tensor
      : tensor.reshape([...Array<number>(lead).fill(1), ...tensor.shape]);
  const kept = along.filter((axis, i) => full.shape[i] === lengths[axis]);
  const dropped = along.flatMap((axis, i) => (full.shape[i] === lengths[axis] ? [] : [i]));
  return {
    input: { type, dtype: tensor.dtype, along: inOrder(kept) },
    tensor: dropped.length > 0 ? full.squeeze(dropped) : full,
  };
}

function uniformsOf(spec: Spec, call: AttendCall): Readonly<Record<string, number>> {
  const given = {
    ...call.uniforms,
    ...(call.train && call.seed !== undefined ? { dropoutSeed: call.seed } : {}),
  };
  const values = Object.fromEntries(Object.entries(spec.uniforms).map(([name, { value }]) => [name, value]));
  for (const [name, value] of Object.entries(given)) {
    const uniform = spec.uniforms[name];
    if (!uniform || !Object.hasOwn(spec.uniforms, name)) {
      const known = Object.keys(spec.uniforms);
      throw new NameError(
        `attention: uniforms has "${name}", which no part declares.${didYouMean(name, known)} ` +
          (known.length > 0
            ? `Declared: ${known.join(', ')}.`
            : 'The parts of this attention take no uniforms.'),
      );
    }
    const knob = knobOf(uniform);
    if (!knob.accepts(value)) {
      throw new ValueError(`attention: the uniform "${name}" expects ${knob.expects}, got ${String(value)}.`);
    }
    values[name] = value;
  }
  return values;
}

function advice(type: Type, tensor: Tensor): string {
  if (type.element === 'bool')
    return 'A mask says which pairs take part (true does); numbers to add to the score are a bias, another part.';
  if (type.element === 'int') return "Convert it with cast(tensor, 'int32').";
  return tensor.dtype === 'bool'
    ? 'A boolean tensor is a mask: use the part for masks.'
    : "Convert it with cast(tensor, 'float32').";
}
