// Every family of the data and who runs it. A new family adds a line.

import type { Family } from '../family.ts';
import { coattention } from './coattention.ts';
import { flex, jax, sdpa } from './dot-product.ts';
import { huggingFace } from './hugging-face.ts';
import { keras } from './keras.ts';
import { linear, onnxLinearAttention } from './linear.ts';
import { local } from './local.ts';
import { location } from './location.ts';
import { mask } from './masks.ts';
import { monotonic } from './monotonic.ts';
import { multiHead } from './multi-head.ts';
import { normalize, normalizedAttention } from './normalizers.ts';
import { byOperation } from './numerics.ts';
import { onnxAttention, onnxFlexAttention } from './onnx-attention.ts';
import { onnxGelu, onnxKvCache, onnxNorm, onnxRope, onnxSoftmax } from './onnx-operators.ts';
import { pooling } from './pooling.ts';
import { position } from './position.ts';
import { recurrent } from './recurrent.ts';
import { classic, score } from './scores.ts';
import { seq2seq } from './seq2seq.ts';
import { transformer } from './transformer.ts';

export const families: Readonly<Record<string, Family>> = {
  additive: classic,
  coattention,
  flex,
  hf: huggingFace,
  jax,
  keras,
  large: byOperation,
  linear,
  literal: byOperation,
  local,
  location,
  luong: classic,
  mask,
  mha: multiHead,
  monotonic,
  normalize,
  normattn: normalizedAttention,
  numerics: byOperation,
  'onnx.attention': onnxAttention,
  'onnx.flex_attention': onnxFlexAttention,
  'onnx.gelu': onnxGelu,
  'onnx.kv_cache': onnxKvCache,
  'onnx.linear_attention': onnxLinearAttention,
  'onnx.norm': onnxNorm,
  'onnx.rope': onnxRope,
  'onnx.softmax': onnxSoftmax,
  pooling,
  position,
  rnn: recurrent,
  score,
  sdpa,
  seq2seq,
  transformer,
};
