// What the heads of a layer look at.

import { createHeed, layers, masks, ops } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { type Drawing, figure } from './draw/svg.ts';

const { alibi, causal, window } = masks;

/** The figure of @heed/multi-head: four heads a row. */
export async function multiHeadFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const { device } = heed;
  const shared = { width: 16, heads: 4, seed: 5, dtype: 'float64' } as const;
  // Small, so that what the parts do is not drowned by what the rows say.
  const rows = ops.normal(device, [1, 20, 16], { deviation: 0.5, seed: 3, dtype: 'float64' });
  const kinds = {
    causal: layers.multiHead(device, { ...shared, mask: causal() }),
    'causal, alibi': layers.multiHead(device, { ...shared, mask: causal(), modifiers: [alibi()] }),
    'window, zeroKey': layers.multiHead(device, {
      ...shared,
      mask: window({ left: 3, right: 3 }),
      zeroKey: true,
    }),
  };
  const panels: Drawing[] = [];
  for (const [name, layer] of Object.entries(kinds)) {
    const heads = (await layer(rows, { weights: true }).weights.squeeze(0).toNested()) as number[][][];
    for (const [head, weights] of heads.entries())
      panels.push(titled(matrix(weights, { cell: 8, gap: 0 }), head === 0 ? name : `head ${head + 1}`));
  }
  return figure(
    grid(panels, { columns: 4 }),
    'Weights of the four heads of a fresh multiHead for 20 rows: queries from the top, keys from the left; with zeroKey ' +
      'the key of zeros comes last.',
  );
}
