// Query-key normalisation: each head's rows, before they are compared.

import { type Builder, layerNorm, rmsNorm } from '@heed/nn';
import type { Tensor } from '@heed/tensor';

/** A norm over the features of a head, whose weight all heads share; nothing for `none`. */
export function headNorm(
  { add }: Builder,
  name: string,
  kind: 'none' | 'rms' | 'layer',
  width: number,
): (rows: Tensor) => Tensor {
  switch (kind) {
    case 'none':
      return (rows) => rows;
    case 'rms':
      return add(name, rmsNorm, { width });
    case 'layer':
      return add(name, layerNorm, { width });
  }
}
