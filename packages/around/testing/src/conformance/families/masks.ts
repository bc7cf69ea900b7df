// The family mask: which pairs take part, with no scores at all.

import { attention, defineNormalizer, type Mask } from '@heed/attention';
import {
  allOf,
  blockLocal,
  causal,
  dilated,
  document,
  globalWindow,
  padding,
  prefix,
  strided,
  window,
} from '@heed/masks';
import { dot } from '@heed/scores';
import { gt, type Tensor, tensor, zeros } from '@heed/tensor';
import { unsupported } from '../attributes.ts';
import type { Family, Work } from '../family.ts';

/** Every key that takes part weighs one. */
const one = defineNormalizer({ name: 'one', weight: () => 1, level: 'none' });

const kinds = [
  'causal_top_left',
  'causal_bottom_right',
  'sliding_causal',
  'sliding_symmetric',
  'dilated',
  'prefix_lm',
  'block_local',
  'document',
  'document_causal',
  'lengths',
  'sparse_strided',
  'window_global',
] as const;

export const mask: Family = (work) => {
  const { attributes, device, shapeOf } = work;
  const [queries, keys] = [attributes.needed('Sq'), attributes.needed('Sk')];
  const inputs: Record<string, Tensor> = {};
  const attend = attention({ score: dot(), mask: maskOf(work, inputs), normalizer: one() });
  const shape = shapeOf('mask');
  const lead = shape.slice(0, -2);
  const rows = (length: number): Tensor => zeros(device, [...lead, length, 1]);
  const { weights } = attend(rows(queries), rows(keys), rows(keys), { inputs, weights: true });
  return { mask: gt(weights, 0.5) };
};

function maskOf({ attributes, device }: Work, inputs: Record<string, Tensor>): Mask {
  const integers = (from: readonly number[]): Tensor =>
    tensor(device, Int32Array.from(from), { dtype: 'int32', shape: [from.length] });
  const documents = (): void => {
    const ids = attributes.numbers('ids') ?? unsupported('the attribute "ids" is missing');
    inputs.queryDocuments = inputs.keyDocuments = integers(ids);
  };
  const start = { align: 'start' } as const;
  switch (attributes.choice('kind', kinds)) {
    case 'causal_top_left':
      return causal(start);
    case 'causal_bottom_right':
      return causal({ align: 'end' });
    case 'sliding_causal':
      return window({ ...start, left: attributes.needed('window'), right: 0 });
    case 'sliding_symmetric': {
      const reach = attributes.needed('window');
      return window({ ...start, left: reach, right: reach });
    }
    case 'dilated':
      return dilated({ ...start, stride: attributes.needed('stride') });
    case 'prefix_lm':
      inputs.prefixLengths = integers([attributes.needed('prefix')]);
      return prefix(start);
    case 'block_local':
      return blockLocal({ ...start, block: attributes.needed('block') });
    case 'document':
      documents();
      return document();
    case 'document_causal':
      documents();
      return allOf(document(), causal(start));
    case 'lengths':
      inputs.lengths = integers(
        attributes.numbers('lengths') ?? unsupported('the attribute "lengths" is missing'),
      );
      return padding();
    case 'sparse_strided':
      return strided({ ...start, stride: attributes.needed('stride') });
    case 'window_global':
      return globalWindow({
        ...start,
        window: attributes.needed('window'),
        global: attributes.numbers('global') ?? [],
      });
  }
}
