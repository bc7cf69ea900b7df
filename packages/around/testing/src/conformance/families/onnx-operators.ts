// ONNX operators around attention, as tensor operations: Softmax, LayerNormalization, RotaryEmbedding, Gelu, TensorScatter.

import {
  add,
  arange,
  argmax,
  cast,
  clamp,
  concat,
  div,
  gelu as exactGelu,
  gather,
  ge,
  logicalAnd,
  logSoftmax,
  lt,
  mean,
  mod,
  mul,
  oneHot,
  pow,
  softmax,
  sqrt,
  square,
  stack,
  sub,
  type Tensor,
  take,
  tanh,
  where,
} from '@heed/tensor';
import type { Family } from '../family.ts';

export const onnxSoftmax: Family = ({ attributes, inputs }) => {
  attributes.note('opset');
  const x = inputs.tensor('x');
  const axis = attributes.number('axis', -1);
  switch (attributes.choice('op', ['Softmax', 'LogSoftmax', 'Hardmax'])) {
    case 'Softmax':
      return { y: softmax(x, { axis }) };
    case 'LogSoftmax':
      return { y: logSoftmax(x, { axis }) };
    case 'Hardmax': {
      const at = axis < 0 ? axis + x.rank : axis;
      const hot = oneHot(argmax(x, { axis: at }), x.shape[at] as number, { dtype: x.dtype });
      // The new axis is last; its place is where the maximum was taken.
      const order = x.shape.map((_, i) => (i < at ? i : i === at ? x.rank - 1 : i - 1));
      return { y: hot.permute(order) };
    }
  }
};

export const onnxNorm: Family = ({ attributes, inputs }) => {
  attributes.note('opset');
  const x = inputs.tensor('X');
  const epsilon = attributes.number('epsilon', 1e-5);
  const first = attributes.number('axis', -1);
  const from = first < 0 ? first + x.rank : first;
  const axis = x.shape.map((_, i) => i).slice(from);
  const scale = inputs.tensor('W');
  if (attributes.choice('op', ['LayerNormalization', 'RMSNormalization']) === 'RMSNormalization') {
    const inverse = div(1, sqrt(add(mean(square(x), { axis, keepDims: true }), epsilon)));
    return { Y: mul(mul(x, inverse), scale) };
  }
  const { y, centre, inverse } = layerNorm(x, axis, epsilon);
  const scaled = mul(y, scale);
  const bias = inputs.maybe('B');
  return { Y: bias ? add(scaled, bias) : scaled, Mean: centre, InvStdDev: inverse };
};

/** (x - mean) / sqrt(variance + epsilon), the variance from the differences and biased. */
export function layerNorm(x: Tensor, axis: readonly number[], epsilon: number) {
  const centre = mean(x, { axis, keepDims: true });
  const away = sub(x, centre);
  const inverse = div(1, sqrt(add(mean(square(away), { axis, keepDims: true }), epsilon)));
  return { y: mul(away, inverse), centre, inverse };
}

/** The exact form with erf, or the approximation by tanh. */
export function gelu(x: Tensor, form: 'none' | 'tanh'): Tensor {
  if (form === 'none') return exactGelu(x);
  const inner = mul(add(x, mul(pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

export const onnxGelu: Family = ({ attributes, inputs }) => {
  attributes.note('op', 'opset');
  return { y: gelu(inputs.tensor('x'), attributes.oneOf('approximate', ['none', 'tanh']) ?? 'none') };
};

/**
 * Rotates pairs of features: the two halves (`halves`) or neighbours (`neighbours`). `cos` and `sin` broadcast to half
 * of the features of `x`.
 */
function rotate(x: Tensor, cos: Tensor, sin: Tensor, pairs: 'halves' | 'neighbours'): Tensor {
  const width = x.shape.at(-1) as number;
  const half = width / 2;
  const [a, b] =
    pairs === 'halves'
      ? [x.slice(-1, 0, half), x.slice(-1, half, width)]
      : [x.slice(-1, 0, width, 2), x.slice(-1, 1, width, 2)];
  const turnedA = sub(mul(a, cos), mul(b, sin));
  const turnedB = add(mul(a, sin), mul(b, cos));
  if (pairs === 'halves') return concat([turnedA, turnedB], { axis: -1 });
  return stack([turnedA, turnedB], { axis: -1 }).reshape(x.shape);
}

export const onnxRope: Family = ({ attributes, inputs }) => {
  attributes.note('op', 'opset');
  const given = inputs.tensor('input');
  const count = attributes.number('num_heads', 1);
  const packed = given.rank === 3;
  const [batch, length] = packed ? [given.shape[0], given.shape[1]] : [given.shape[0], given.shape[2]];
  const x = packed
    ? given.reshape([batch as number, length as number, count, -1]).permute([0, 2, 1, 3])
    : given;
  const width = x.shape.at(-1) as number;
  const turning = attributes.number('rotary_embedding_dim', 0) || width;
  const at = inputs.maybe('position_ids') as Tensor<'int32'> | undefined;
  const cache = (name: string): Tensor => {
    const table = inputs.tensor(name);
    return (at ? take(table, at) : table).unsqueeze(1);
  };
  const pairs = attributes.flag('interleaved') ? 'neighbours' : 'halves';
  const turned = rotate(x.slice(-1, 0, turning), cache('cos_cache'), cache('sin_cache'), pairs);
  const output = turning === width ? turned : concat([turned, x.slice(-1, turning, width)], { axis: -1 });
  return { output: packed ? output.permute([0, 2, 1, 3]).reshape(given.shape) : output };
};

/** Writes an update into a cache, at an index for each batch; `circular` begins again at the start. */
export const onnxKvCache: Family = ({ attributes, inputs, device }) => {
  attributes.note('op', 'opset');
  const cache = inputs.tensor('past_cache');
  const update = inputs.tensor('update');
  const given = attributes.number('axis', -2);
  const axis = given < 0 ? given + cache.rank : given;
  const circular = attributes.oneOf('mode', ['linear', 'circular']) === 'circular';
  const length = cache.shape[axis] as number;
  const steps = update.shape[axis] as number;
  const along = (of: Tensor<'int32'>, at: number): Tensor<'int32'> =>
    of.reshape(cache.shape.map((_, i) => (i === at ? -1 : 1)));
  const begin = inputs.has('write_indices')
    ? along(inputs.tensor('write_indices') as Tensor<'int32'>, 0)
    : along(arange(device, 1), 0);
  // Which step of the update each place of the cache receives, if any.
  const behind = sub(along(arange(device, length), axis), begin) as Tensor<'int32'>;
  const step = (circular ? mod(behind, length) : behind) as Tensor<'int32'>;
  const written = logicalAnd(ge(step, 0), lt(step, steps)).expand(cache.shape);
  const safe = cast(clamp(cast(step, 'float32'), 0, steps - 1), 'int32').expand(cache.shape);
  return { present_cache: where(written, gather(update, safe, { axis }), cache) };
};
