// Matrix products, batched.

import { type Expr, scalar, trace } from '@heed/expr';
import type { DType } from '../contract/dtype.ts';
import type { MatmulProgram } from '../contract/program.ts';
import { dispatch } from '../dispatch.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { isFloat, type Promoted, promoteFloat } from '../promote.ts';
import { scope } from '../scope.ts';
import { broadcastShapes, describeShape, type Shape } from '../shape.ts';
import { record } from '../tape/record.ts';
import type { Tensor } from '../tensor.ts';
import { repeated } from './formula.ts';
import { sumTo } from './reduce.ts';

export interface MatmulOptions {
  /** Takes the last two axes of the operand the other way round; a matter of strides, nothing is moved. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * a b over the last two axes, [..., row, inner] and [..., inner, column] to [..., row, column]; the axes before are
 * broadcast. A vector is a row on the left and a column on the right, and its axis is gone from the result.
 *
 * @throws ShapeError where the inner sizes differ; DTypeError for ints and bools.
 */
export function matmul<A extends DType, B extends DType>(
  a: Tensor<A>,
  b: Tensor<B>,
  options?: MatmulOptions,
): Tensor<Promoted<A, B>>;
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Tensor {
  check(a.use('matmul'), b.use('matmul'));
  return scope(a.device, () => {
    const left = a.rank === 1 ? a.unsqueeze(0) : transposeA ? a.transpose() : a;
    const right = b.rank === 1 ? b.unsqueeze(-1) : transposeB ? b.transpose() : b;
    if (left.shape.at(-1) !== right.shape.at(-2))
      throw innerSizesDiffer(left, right, { transposeA, transposeB });
    let out = right.rank === 2 && left.rank > 2 ? sharedProduct(left, right) : product(left, right);
    if (b.rank === 1) out = out.squeeze(-1);
    if (a.rank === 1) out = out.squeeze(b.rank === 1 ? -1 : -2);
    return out;
  });
}

/** One matrix for a whole batch: rows of all batches in one product, and one product for the matrix's gradient. */
const sharedProduct = (a: Tensor, b: Tensor): Tensor =>
  product(a.reshape([-1, a.shape.at(-1) as number]), b).reshape([
    ...a.shape.slice(0, -1),
    b.shape.at(-1) as number,
  ]);

/** Operands of rank 2 and more whose inner sizes agree. */
function product(a: Tensor, b: Tensor): Tensor {
  const { device } = a;
  const [row, inner] = a.shape.slice(-2) as [number, number];
  const column = b.shape.at(-1) as number;
  const batch = broadcastShapes(
    'matmul',
    [a.shape.slice(0, -2), b.shape.slice(0, -2)],
    ['the batch of a', 'the batch of b'],
  );
  const dtype = promoteFloat(a.dtype, b.dtype);
  const program = device.remember(owner, `${batch.length} ${a.dtype} ${b.dtype}`, () =>
    matmulProgram(batch.length, a.dtype, b.dtype, dtype),
  );
  const { out } = dispatch(device, program, {
    where: 'matmul',
    inputs: { a: repeated(a, [...batch, row, inner]), b: repeated(b, [...batch, inner, column]) },
    results: { out: { shape: [...batch, row, column], dtype } },
  });
  const shapes = [a.shape, b.shape] as const;
  record(device, {
    name: 'matmul',
    inputs: [a, b],
    outputs: [out],
    // Each gradient needs the other operand only.
    saved: [...(a.tracked ? [b] : []), ...(b.tracked ? [a] : [])],
    vjp: ([gradient], saved, wanted) => {
      const [left, right] = [saved.at(-1), saved[0]];
      if (!gradient || !left || !right) return [null, null];
      return [
        wanted[0] ? sumTo(product(gradient, right.transpose()), shapes[0]) : null,
        wanted[1] ? sumTo(product(left.transpose(), gradient), shapes[1]) : null,
      ];
    },
  });
  return out;
}

const owner = {};

const matmulProgram = (rank: number, a: DType, b: DType, dtype: DType): MatmulProgram => ({
  kind: 'matmul',
  rank,
  a,
  b,
  inputs: {},
  uniforms: {},
  epilogue: trace('matmul', scalar, (declare): Expr<typeof scalar> => declare('product', scalar)),
  dtype,
});

function check(a: Tensor, b: Tensor): void {
  for (const [name, one] of [
    ['a', a],
    ['b', b],
  ] as const) {
    if (one.rank === 0)
      throw new ShapeError(
        `matmul: expected ${name} to have at least one axis, got a scalar. Multiply with mul.`,
      );
    if (!isFloat(one.dtype) && one.dtype !== 'int8') {
      throw new DTypeError(
        `matmul: expected floats, got ${one} as ${name}. Convert it with cast(${name}, 'float32').`,
      );
    }
  }
}

const dims = (shape: Shape, names: readonly [string, string]): string => {
  const words = shape.slice(0, -2).map((_, i, all) => (all.length === 1 ? 'batch' : `batch${i}`));
  return `[${[...words, ...names].join(', ')}] = ${describeShape(shape)}`;
};

function innerSizesDiffer(
  left: Tensor,
  right: Tensor,
  { transposeA, transposeB }: MatmulOptions,
): ShapeError {
  const asked = [...(transposeA ? ['a'] : []), ...(transposeB ? ['b'] : [])].join(' and ');
  const otherWay = left.shape.at(-1) === right.shape.at(-1);
  const advice = transposeB ? 'leave out transposeB' : 'pass { transposeB: true }';
  return new ShapeError(
    `matmul: inner sizes differ: a is ${dims(left.shape, ['row', 'inner'])} and b is ` +
      `${dims(right.shape, ['inner', 'column'])}${asked ? `, with ${asked} transposed` : ''}.` +
      `${otherWay ? ` b fits the other way round: ${advice}.` : ''}`,
  );
}
