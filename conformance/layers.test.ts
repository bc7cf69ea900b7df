// Layers and operators around attention, composed of tensor operations.
import { expect, it } from 'vitest';
import { conform, familiesOfData } from './cases.fixture.ts';

const here = [
  'hf',
  'keras',
  'mha',
  'monotonic',
  'onnx.gelu',
  'onnx.kv_cache',
  'onnx.linear_attention',
  'onnx.norm',
  'onnx.rope',
  'onnx.softmax',
  'position',
  'rnn',
  'seq2seq',
  'transformer',
];
conform(here);

const elsewhere = [
  ...['sdpa', 'flex', 'jax', 'mask', 'onnx.attention', 'onnx.flex_attention', 'large'],
  ...[
    'score',
    'additive',
    'luong',
    'local',
    'location',
    'normalize',
    'normattn',
    'numerics',
    'pooling',
    'coattention',
    'linear',
  ],
];

it('leaves no family of the data out', () => {
  expect([...here, ...elsewhere].sort()).toEqual(familiesOfData);
});
