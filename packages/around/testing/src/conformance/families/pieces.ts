// What several families share: masks and biases that are given as tensors, and the normalizers by their names here.

import {
  type AttentionOptions,
  attention,
  defineScore,
  type Mask,
  type Modifier,
  type Normalizer,
} from '@heed/attention';
import { scalar } from '@heed/expr';
import { allowed, bias, biasAllows } from '@heed/masks';
import { entmax, entmax15, hard, identity, relu, sigmoid, softmax, sparsemax } from '@heed/normalizers';
import { add, logicalAnd, type Tensor } from '@heed/tensor';
import { type Attributes, unsupported } from '../attributes.ts';

/** A score that is given as a tensor: for what only concerns what comes after scores. */
export const givenScore = defineScore({
  name: 'given-score',
  inputs: { logits: { type: scalar, along: ['batch', 'head', 'query', 'key'] } },
  score: ({ inputs: { logits } }) => logits,
});

/** Parts and their tensors, accumulated while a case is read. */
export class Composition {
  readonly masks: Mask[] = [];
  readonly modifiers: Modifier[] = [];
  readonly inputs: Record<string, Tensor> = {};
  readonly params: Record<string, Tensor> = {};

  /** `where` broadcasts from the right to [batch, head, query, key]; true takes part. */
  allow(where: Tensor): this {
    const before = this.inputs.allowed as Tensor<'bool'> | undefined;
    if (!before) this.masks.push(allowed());
    this.inputs.allowed = before ? logicalAnd(before, where as Tensor<'bool'>) : where;
    return this;
  }

  /** `of` broadcasts from the right to [batch, head, query, key]; -infinity blocks, as it does in PyTorch and ONNX. */
  add(of: Tensor): this {
    const before = this.inputs.bias;
    if (!before) {
      this.modifiers.push(bias());
      this.masks.push(biasAllows());
    }
    this.inputs.bias = before ? add(before, of) : of;
    return this;
  }

  /** The attention, and what its calls need. */
  attend(of: Pick<AttentionOptions, 'score' | 'normalizer' | 'reweight'>) {
    const attend = attention({ ...of, mask: this.masks, modifiers: this.modifiers });
    return { attend, call: { params: this.params, inputs: this.inputs } };
  }
}

/** Normalizers by the names of the data; their options are read from the attributes. */
export function normalizerOf(kind: string, attributes: Attributes): Normalizer {
  switch (kind) {
    case 'softmax':
    case 'topk_softmax':
      return softmax();
    case 'softmax1':
      return softmax({ sink: 'zero' });
    case 'sparsemax':
      return sparsemax();
    case 'entmax15':
      return entmax15();
    case 'entmax':
      return entmax({ alpha: attributes.needed('alpha') });
    case 'sigmoid':
      return sigmoid({ shift: attributes.number('bias', 0) });
    case 'relu':
      return relu({ divisor: attributes.number('divisor', 1) });
    case 'hardmax':
      return hard();
    case 'identity':
      return identity();
    default:
      return unsupported(`the normalizer "${kind}" is not known`);
  }
}
