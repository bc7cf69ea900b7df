// Dot-product attention: masks, biases, modifications, layouts.
import { conform } from './cases.fixture.ts';

conform(['sdpa', 'flex', 'jax', 'mask', 'onnx.attention', 'onnx.flex_attention']);
