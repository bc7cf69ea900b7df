// Running a prepared plan: rows ahead, then the fused program over all pairs.

import {
  type Device,
  dispatch,
  isRecording,
  record,
  type Tensor,
  type WeightsRequest,
  withoutGradients,
  workingDType,
} from '@heed/tensor';
import { computeAhead } from './ahead.ts';
import { type Checked, lengthsOf } from './check.ts';
import { backThrough } from './gradient.ts';
import type { Sources } from './lower.ts';
import type { Prepared } from './prepare.ts';
import type { Row } from './row.ts';

/** What comes out, [batch, head, query, ...]. */
export interface Results {
  readonly context: Tensor;
  readonly level: Tensor | null;
  readonly weights: Tensor | null;
}

/** Whether a call would be recorded for gradients. */
export const isRecorded = (device: Device, { bound }: Checked): boolean =>
  isRecording(
    device,
    Object.values(bound).map(({ tensor }) => tensor),
  );

/** Runs the plan on the tensors of a call, and records it. */
export function run(device: Device, prepared: Prepared, checked: Checked): Results {
  const { program } = prepared.plan;
  const { batch, head, query, key } = checked.lengths;
  const sources: Sources = {
    device,
    lengths: checked.lengths,
    uniforms: { ...checked.uniforms, ...lengthsOf(checked.lengths) },
    rows: Object.fromEntries(
      Object.entries(checked.bound).map(([name, { tensor, input }]): [string, Row] => [
        name,
        { tensor, axes: input.along },
      ]),
    ),
  };
  // Recorded as one operation: what lies between is computed anew when gradients are asked for (see gradient.ts).
  const rows = withoutGradients(device, () => computeAhead(prepared.ahead, sources));
  const results: Partial<Record<string, Tensor>> = dispatch(device, program, {
    where: 'attention',
    inputs: Object.fromEntries(Object.keys(program.inputs).map((name) => [name, (rows[name] as Row).tensor])),
    results: Object.fromEntries(
      Object.entries({
        context: [batch, head, query, checked.sizes.valueFeature as number],
        ...(program.keep.level ? { level: [batch, head, query] } : {}),
        ...(program.keep.weights
          ? { weights: [batch, head, ...pooled(program.keep.weights, query, key)] }
          : {}),
      }).map(([name, shape]) => [
        name,
        { shape, dtype: name === 'level' ? workingDType(program.dtype) : program.dtype },
      ]),
    ),
    uniforms: Object.fromEntries(
      Object.keys(program.uniforms).map((name) => [name, checked.uniforms[name] as number]),
    ),
    sizes: { ...lengthsOf(checked.lengths) },
  });
  const names = Object.keys(results);
  const outputs = names.map((name) => results[name] as Tensor);
  const inputs = Object.keys(sources.rows);
  const held = Object.keys(rows);
  const axes = Object.fromEntries(held.map((name) => [name, (rows[name] as Row).axes]));
  const { lengths, uniforms } = sources;
  record(device, {
    name: 'attention',
    inputs: inputs.map((name) => (sources.rows[name] as Row).tensor),
    outputs,
    saved: [...held.map((name) => (rows[name] as Row).tensor), ...outputs],
    // Tensors are read from `saved` alone: the closure keeps nothing alive.
    vjp: (upstream, saved, wanted) =>
      backThrough(prepared, {
        sources: { device, lengths, uniforms },
        rows: Object.fromEntries(
          held.map((name, i): [string, Row] => [
            name,
            { tensor: saved[i] as Tensor, axes: axes[name] ?? [] },
          ]),
        ),
        outputs: Object.fromEntries(names.map((name, i) => [name, saved[held.length + i] as Tensor])),
        upstream: Object.fromEntries(names.map((name, i) => [name, upstream[i] ?? null])),
        inputs,
        wanted,
      }),
  });
  return {
    context: results.context as Tensor,
    level: results.level ?? null,
    weights: results.weights ?? null,
  };
}

/** The shape of weights, whole or pooled. */
function pooled(request: WeightsRequest, query: number, key: number): readonly [number, number] {
  const pool = typeof request === 'object' ? request.pool : 1;
  return [Math.ceil(query / pool), Math.ceil(key / pool)];
}
