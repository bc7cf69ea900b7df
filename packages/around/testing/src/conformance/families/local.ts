// Luong's local attention: a window around a position, and a Gaussian that is not renormalised.

import { localAttention } from '@heed/local';
import { padding } from '@heed/masks';
import { arange, cast, type Tensor } from '@heed/tensor';
import type { Family } from '../family.ts';
import { Composition } from './pieces.ts';
import { scoreOf } from './scores.ts';

export const local: Family = (work) => {
  const { attributes, inputs, device } = work;
  const query = inputs.tensor('query');
  const key = inputs.tensor('key');
  const kind = attributes.choice('kind', ['local-m', 'local-p']);
  const window = attributes.needed('window');
  const [batch, steps, queryWidth] = query.shape as [number, number, number];
  const lengths = inputs.maybe('lengths');
  const to = new Composition();
  const score = scoreOf(work, to);
  const layer = localAttention(device, {
    ...{ kind, queryWidth, window, score, project: false, memoryWidth: key.shape[2] as number },
    sigma: attributes.number('sigma', window / 2),
    over:
      attributes.choice('align', ['window-softmax', 'full-softmax']) === 'full-softmax' ? 'all' : 'window',
    renormalize: attributes.flag('renormalize'),
    mask: lengths ? [...to.masks, padding()] : to.masks,
    modifiers: to.modifiers,
    parameters: {
      ...Object.fromEntries(Object.entries(to.params).map(([name, one]) => [`attention.${name}`, one])),
      ...(kind === 'local-p'
        ? { 'place.weight': inputs.tensor('W_p').transpose(), 'place.v': inputs.tensor('v_p') }
        : {}),
    },
    ...(kind === 'local-p' ? { hidden: inputs.shape('W_p')[1] as number } : {}),
  });
  const { context, weights, places } = layer(query, key, {
    inputs: { ...to.inputs, ...(lengths ? { lengths } : {}) },
    weights: true,
  });
  const step = (): Tensor => cast(arange(device, steps), query.dtype).unsqueeze(0).expand([batch, steps]);
  return { p: places ?? step(), context, weights };
};
