// Keys that belong to no row: they stand after the others, and no mask or modifier concerns them.

import type { AttentionOptions, Mask, Modifier, Part } from '@heed/attention';
import {
  asExpr,
  type Bool,
  type Expr,
  ge,
  graph,
  type Index,
  index,
  input,
  or,
  type Scalar,
  scalar,
  select,
  sub,
  substitute,
  type Type,
} from '@heed/expr';
import { type Builder, initial } from '@heed/nn';
import { concat, pad, type Tensor, zeros } from '@heed/tensor';

type Concerned = Pick<AttentionOptions, 'mask' | 'modifiers'>;

/** What is appended to the rows of keys and values. */
export interface ExtraKeys {
  readonly count: number;
  readonly key: (rows: Tensor) => Tensor;
  readonly value: (rows: Tensor) => Tensor;
}

/** Keys and values that belong to no row: the trained one first, as in PyTorch. */
export function extraKeys(
  { parameter }: Builder,
  { learnedKey, zeroKey }: { readonly learnedKey: boolean; readonly zeroKey: boolean },
  keyHeads: number,
  headWidth: number,
  valueHeadWidth: number,
): ExtraKeys {
  // The deviation of PyTorch's Glorot normal for one row of all heads.
  const start = initial.normal({ deviation: 1 / Math.sqrt(keyHeads * headWidth) });
  const key = learnedKey ? parameter('extra.key', [keyHeads, headWidth], start) : null;
  const value = learnedKey ? parameter('extra.value', [keyHeads, valueHeadWidth], start) : null;
  const appended = (learned: Tensor | null, width: number) => (rows: Tensor) => {
    const longer = learned ? appendRow(rows, learned) : rows;
    return zeroKey ? appendRow(longer, zeros(rows.device, [keyHeads, width], { dtype: rows.dtype })) : longer;
  };
  return {
    count: Number(learnedKey) + Number(zeroKey),
    key: appended(key, headWidth),
    value: appended(value, valueHeadWidth),
  };
}

/** Masks and modifiers as they were meant, beside `count` keys more. */
export function besideExtraKeys(
  { mask = [], modifiers = [] }: Concerned,
  count: number,
): Required<Concerned> {
  const masks = Array.isArray(mask) ? (mask as readonly Mask[]) : [mask as Mask];
  return {
    mask: masks.map((one) => ({
      ...spared(one, count),
      body: or(isExtra(one.body, count), meant(one.body, count)),
    })),
    modifiers: modifiers.map((one): Modifier => {
      const untouched = asExpr<Scalar>(
        input(graph(one.body), 'score', scalar, ['batch', 'head', 'query', 'key']),
      );
      return {
        ...spared(one, count),
        body: select(isExtra(one.body, count), untouched, meant(one.body, count)),
      };
    }),
  };
}

/** Side inputs that have a number for each key get one for each key more, which nothing reads. */
export function padInputs(
  parts: readonly Part[],
  inputs: Readonly<Record<string, Tensor>> = {},
  count: number,
): Readonly<Record<string, Tensor>> {
  const alongKeys = new Set(
    parts.flatMap((part) =>
      Object.entries(part.inputs).flatMap(([name, { along }]) => (along.at(-1) === 'key' ? [name] : [])),
    ),
  );
  const padded = Object.entries(inputs).map(([name, tensor]) => {
    // An axis of one is for all keys.
    if (!alongKeys.has(name) || tensor.rank === 0 || tensor.shape.at(-1) === 1) return [name, tensor];
    return [
      name,
      pad(
        tensor,
        tensor.shape.map((_, axis) => [0, axis === tensor.rank - 1 ? count : 0] as const),
        0,
      ),
    ];
  });
  return Object.fromEntries(padded);
}

/** Rows [batch, keyHead, key, feature] and one more for each head, of [keyHead, feature]. */
function appendRow(rows: Tensor, row: Tensor): Tensor {
  const [batch, heads, , feature] = rows.shape as [number, number, number, number];
  return concat([rows, row.reshape([1, heads, 1, feature]).expand([batch, heads, 1, feature])], { axis: 2 });
}

const at = (of: Expr, name: 'key' | 'keyLength'): Expr<Index> =>
  asExpr<Index>(input(graph(of), name, index, name === 'key' ? ['key'] : []));

/** How many keys there are of rows. */
const ownLength = (of: Expr, count: number): Expr<Index> => sub(at(of, 'keyLength'), count);

const isExtra = (body: Expr, count: number): Expr<Bool> => ge(at(body, 'key'), ownLength(body, count));

const meant = <T extends Type>(body: Expr<T>, count: number): Expr<T> =>
  substitute(body, { keyLength: ownLength(body, count) });

const spared = <P extends Part>(part: P, count: number): P => ({
  ...part,
  refuse: (lengths, sizes) => part.refuse({ ...lengths, keyLength: lengths.keyLength - count }, sizes),
});
