// Positions: what heed has of them, and tables that are one line of tensor operations.

import type { Expr, Index } from '@heed/expr';
import * as e from '@heed/expr';
import { alibiSlopes } from '@heed/masks';
import { rotary, sinusoidal as waves } from '@heed/nn';
import {
  arange,
  cast,
  concat,
  cos,
  div,
  elementwise,
  exp,
  mul,
  type Surroundings,
  sin,
  type Tensor,
  tensor,
  zeros,
} from '@heed/tensor';
import type { Family, Outputs, Work } from '../family.ts';

export const position: Family = (work) => {
  const { attributes, device } = work;
  switch (
    attributes.choice('kind', ['alibi_slopes', 't5_bucket', 'sinusoidal', 'rope_table', 'rope_apply'])
  ) {
    case 'alibi_slopes': {
      const count = attributes.needed('heads');
      return { slopes: tensor(device, Float32Array.from(alibiSlopes(count)), { shape: [count] }) };
    }
    case 't5_bucket': {
      attributes.oneOf('relative_position', ['key - query']);
      return { bucket: buckets(work, attributes.needed('Sq'), attributes.needed('Sk')) };
    }
    case 'sinusoidal':
      return sinusoidal(work);
    case 'rope_table':
      return ropeTable(work);
    case 'rope_apply':
      return ropeApply(work);
  }
};

/** base^(-2 i / width) for i below width / 2. */
function frequencies({ device }: Work, width: number, base: number): Tensor {
  return exp(mul(arange(device, width / 2, { dtype: 'float32' }), (-2 / width) * Math.log(base)));
}

/** [position, frequency]. */
const angles = (positions: Tensor, by: Tensor): Tensor => mul(cast(positions, 'float32').unsqueeze(-1), by);

function sinusoidal(work: Work): Outputs {
  const { attributes, device, shapeOf } = work;
  attributes.oneOf('layout', ['interleaved sin,cos']);
  const [length, width] = shapeOf('table') as [number, number];
  const layer = waves(device, { width, base: attributes.number('base', 10000) });
  return { table: layer(zeros(device, [length, width])) };
}

function ropeTable(work: Work): Outputs {
  const { attributes, inputs } = work;
  attributes.note('max_position_embeddings');
  const type = attributes.choice('rope_type', ['default', 'linear']);
  const plain = frequencies(work, attributes.needed('head_dim'), attributes.needed('rope_theta'));
  const by = type === 'linear' ? div(plain, attributes.needed('factor')) : plain;
  const at = angles(inputs.tensor('positions'), by);
  const twice = (of: Tensor): Tensor => concat([of, of], { axis: -1 });
  return { inv_freq: by, cos: twice(cos(at)), sin: twice(sin(at)) };
}

function ropeApply(work: Work): Outputs {
  const { attributes, inputs } = work;
  attributes.note('position_offset');
  const turn = rotary({
    layout:
      attributes.choice('layout', ['rotate-half', 'interleaved-pairs']) === 'rotate-half'
        ? 'halves'
        : 'interleaved',
    base: attributes.number('base', 10000),
  });
  return { out: turn(inputs.tensor('x'), { positions: inputs.tensor('positions') }) };
}

/** Distances at once: near ones each a bucket of their own, far ones by their logarithm. */
const bucketOf = (
  query: Expr<Index>,
  key: Expr<Index>,
  { integers: { bucketCount, both }, uniforms: { most } }: Surroundings<'most', 'bucketCount' | 'both'>,
): Expr<Index> => {
  const distance = e.sub(key, query);
  const bothWays = e.eq(both, 1);
  const half = e.select(bothWays, e.floorDiv(bucketCount, 2), bucketCount);
  const first = e.select(e.and(bothWays, e.gt(distance, 0)), half, 0);
  const away = e.select(bothWays, e.abs(distance), e.maximum(e.neg(distance), 0));
  const exact = e.floorDiv(half, 2);
  const growth = e.div(e.log(e.div(e.maximum(away, exact), exact)), e.log(e.div(most, exact)));
  const far = e.add(exact, e.toInt(e.mul(growth, e.toFloat(e.sub(half, exact)))));
  return e.add(first, e.select(e.lt(away, exact), away, e.minimum(far, e.sub(half, 1))));
};

/** The bucket of each distance key - query. Raffel et al. 2020 (arXiv 1910.10683), section 2.1. */
export function buckets({ attributes, device }: Work, queries: number, keys: number): Tensor<'int32'> {
  const integers = {
    bucketCount: attributes.needed('num_buckets'),
    both: Number(attributes.flag('bidirectional')),
  };
  const uniforms = { most: attributes.needed('max_distance') };
  const at = [arange(device, queries).unsqueeze(-1), arange(device, keys)] as const;
  return elementwise('bucketOf', bucketOf, at, { integers, uniforms }) as Tensor<'int32'>;
}
