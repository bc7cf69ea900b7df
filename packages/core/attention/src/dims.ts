// Renaming dims in an expression: a part written for `queryFeature` meets a score whose rows share `feature`.

import { build, type Dim, type Expr, input, type Node, rebuild, type Type } from '@heed/expr';

/** A dim under its new name, each term of a sum by itself. */
const renameDim = (dim: Dim, names: Readonly<Record<Dim, Dim>>): Dim =>
  dim
    .split('+')
    .map((part) => names[part] ?? part)
    .join('+');

export const renameType = <T extends Type>(type: T, names: Readonly<Record<Dim, Dim>>): T => ({
  ...type,
  dims: type.dims.map((dim) => renameDim(dim, names)),
});

/** The expression with dims renamed, wherever a type or a node names one. */
export function renameDims<T extends Type>(root: Expr<T>, names: Readonly<Record<Dim, Dim>>): Expr<T> {
  const rename = (dim: Dim): Dim => renameDim(dim, names);
  const [result] = rebuild([root], (node, home): Node => {
    switch (node.op) {
      case 'input': {
        return input(home, node.data.name, renameType(node.type, names), node.data.along);
      }
      case 'size':
      case 'fill':
      case 'spread':
        return build(home, node.op, node.args, { dim: rename(node.data.dim) });
      case 'slice':
      case 'place':
        return build(home, node.op, node.args, {
          ...node.data,
          from: rename(node.data.from),
          dim: rename(node.data.dim),
        });
      default:
        return node;
    }
  });
  return result as Expr<T>;
}
