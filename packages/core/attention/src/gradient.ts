// The gradient of a call: `attend-gradient` gives it for what the fused program reads, and the chain rule takes it on
// from the rows computed ahead to what they were computed from, with ordinary tensor operations.

import { type Expr, gt, ne, type Scalar, select } from '@heed/expr';
import { type Axis, add, dispatch, elementwise, gradients, mul, sum, type Tensor } from '@heed/tensor';
import { type Ahead, computeAhead } from './ahead.ts';
import { lengthsOf } from './check.ts';
import type { Sources } from './lower.ts';
import { inOrder } from './place.ts';
import type { Prepared } from './prepare.ts';
import type { Row } from './row.ts';

/** A call to go back through. */
export interface Past {
  readonly sources: Omit<Sources, 'rows'>;
  /** The rows given and those computed ahead. */
  readonly rows: Readonly<Record<string, Row>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly upstream: Readonly<Record<string, Tensor | null>>;
  /** The names of the inputs, and whether the gradient of each is wanted. */
  readonly inputs: readonly string[];
  readonly wanted: readonly boolean[];
}

/** The gradients of the inputs of a call, in their order; null where nothing flows. */
export function backThrough({ plan, ahead, gradient }: Prepared, past: Past): (Tensor | null)[] {
  const { program } = plan;
  const { sources, rows, outputs, upstream, inputs } = past;
  const wanted = new Set(inputs.filter((_, i) => past.wanted[i]));
  const chained = dependents(ahead, wanted);
  const wrt = Object.keys(program.inputs).filter((name) => wanted.has(name) || chained.has(name));
  const { context, weights, level } = upstream;
  const asked = { context: !!context, weights: !!weights, level: !!level };
  const found: Readonly<Record<string, Tensor>> =
    wrt.length === 0
      ? {}
      : dispatch(sources.device, gradient(wrt, asked), {
          where: 'the gradient of attention',
          inputs: {
            ...Object.fromEntries(
              Object.keys(program.inputs).map((name) => [name, (rows[name] as Row).tensor]),
            ),
            context: outputs.context as Tensor,
            ...(outputs.level ? { level: outputs.level } : {}),
            ...(context ? { grad$context: context } : {}),
            ...(weights ? { grad$weights: weights } : {}),
            ...(level ? { grad$level: level } : {}),
          },
          results: Object.fromEntries(
            wrt.map((name) => {
              const { shape, dtype } = (rows[name] as Row).tensor;
              return [name, { shape, dtype }];
            }),
          ),
          uniforms: Object.fromEntries(
            Object.keys(program.uniforms).map((name) => [name, sources.uniforms[name] as number]),
          ),
          sizes: { ...lengthsOf(sources.lengths) },
        });
  const through = chain(
    ahead.filter(({ name }) => chained.has(name)),
    found,
    past,
    wanted,
  );
  return inputs.map((name) => {
    const direct = wanted.has(name) ? found[name] : undefined;
    const indirect = through[name];
    return direct && indirect ? add(direct, indirect) : (direct ?? indirect ?? null);
  });
}

/** The rows computed ahead that change when one of the wanted inputs does. */
function dependents(ahead: readonly Ahead[], wanted: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { name, reads } of ahead)
    if (reads.some((one) => wanted.has(one) || found.has(one))) found.add(name);
  return found;
}

/** From the gradients of rows computed ahead to the gradients of what they were computed from. */
function chain(
  ahead: readonly Ahead[],
  found: Readonly<Record<string, Tensor>>,
  { sources, rows }: Past,
  wanted: ReadonlySet<string>,
): Readonly<Record<string, Tensor>> {
  const leaves = [...wanted].filter((name) => ahead.some(({ reads }) => reads.includes(name)));
  const ends = ahead.filter(({ name }) => found[name]);
  if (leaves.length === 0 || ends.length === 0) return {};
  const attended = Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      { ...row, tensor: onlyAttended(name, row, ends, found, rows) },
    ]),
  );
  const loss = (...tensors: readonly Tensor[]): Tensor => {
    const given = Object.fromEntries(
      leaves.map((name, i) => [name, { ...(rows[name] as Row), tensor: tensors[i] as Tensor }]),
    );
    const computed = computeAhead(ahead, { ...sources, rows: { ...attended, ...given } });
    // The gradient of sum(row * g) by `row` is g: one loss carries all upstream gradients.
    const parts = ends.map(({ name }) => sum(mul((computed[name] as Row).tensor, found[name] as Tensor)));
    return parts.reduce((all, one) => add(all, one));
  };
  const back = gradients(loss)(...leaves.map((name) => (attended[name] as Row).tensor));
  return Object.fromEntries(leaves.map((name, i) => [name, back.gradients[i] as Tensor]));
}

/**
 * A row tensor with zeros where no gradient arrived. Masked rows may hold NaN; their gradient is exactly zero, but the
 * chain rule would multiply that zero by the NaN. Where nothing was attended to nothing may come from the row.
 */
function onlyAttended(
  name: string,
  { tensor, axes }: Row,
  ends: readonly Ahead[],
  found: Readonly<Record<string, Tensor>>,
  rows: Readonly<Record<string, Row>>,
): Tensor {
  const side = axes.find((axis) => axis === 'query' || axis === 'key');
  const touched = ends.filter(
    (end) => end.reads.includes(name) && (rows[end.name] as Row).axes.includes(side as Axis),
  );
  if (!side || touched.length === 0) return tensor;
  const counts = touched.map((end) => {
    const row = rows[end.name] as Row;
    const gradient = found[end.name] as Tensor;
    const flags = elementwise('attended', isNonZero, [gradient]);
    // Over the row's own dims, and over the axes that the leaf does not vary along.
    const gone = gradient.shape.flatMap((_, i) =>
      i < row.axes.length && axes.includes(row.axes[i] as Axis) ? [] : [i],
    );
    const summed = gone.length > 0 ? sum(flags, { axis: gone }) : flags;
    const kept = inOrder(row.axes.filter((axis) => axes.includes(axis)));
    return summed.reshape([
      ...axes.map((axis, i) => (kept.includes(axis) ? (tensor.shape[i] as number) : 1)),
      ...tensor.shape.slice(axes.length).map(() => 1),
    ]);
  });
  const count = counts.reduce((all, one) => add(all, one));
  return elementwise('attended', keepWhere, [tensor, count]);
}

// A gradient that is NaN did arrive: only an exact zero says that nothing did.
const isNonZero = (gradient: Expr<Scalar>) => select(ne(gradient, 0), 1, 0);
const keepWhere = (row: Expr<Scalar>, count: Expr<Scalar>) => select(gt(count, 0), row, 0);
