// The attention inside a layer: composed once, its trained tensors among the layer's parameters.

import {
  type Attend,
  type AttendCall,
  type Attended,
  type AttentionOptions,
  attention,
} from '@heed/attention';
import type { Tensor } from '@heed/tensor';
import type { Builder } from './define-layer.ts';
import type { Parameters } from './layer.ts';
import type { Mode } from './mode.ts';
import type { PartSizes } from './part-parameters.ts';

/** What a call brings for the parts of a layer's attention. */
export interface PartsCall extends Mode {
  /** Side inputs of the parts, by name: lengths, document ids, a bias. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
  /** Numbers of this call; those left out keep their defaults. */
  readonly uniforms?: Readonly<Record<string, number>>;
}

/** An attention with its parameters at hand. */
export interface Attending {
  readonly attend: Attend;
  /** What a call of `attend` takes: the trained tensors, and what the layer was given. */
  readonly call: (given: PartsCall) => AttendCall;
}

/**
 * Composes the attention of a layer. Its trained tensors become parameters of the layer, `name.w`, `name.u`, ...
 *
 * @param of the sizes of rows as the attention sees them.
 * @param own trained tensors of the parts that the layer has made already, by the parts' names for them.
 * @throws NameError where two parts use one name for different things.
 */
export function attending(
  build: Builder,
  name: string,
  options: AttentionOptions,
  of: PartSizes,
  own: Parameters = {},
): Attending {
  const attend = attention(options);
  const others = attend.parts.map((part) => ({ ...part, params: without(part.params, own) }));
  const params = { ...own, ...build.parts(name, others, of) };
  const drops = (options.dropout ?? 0) > 0;
  const call = ({ inputs, uniforms, train, seed }: PartsCall): AttendCall => ({
    params,
    ...(inputs ? { inputs } : {}),
    ...(uniforms ? { uniforms } : {}),
    ...(drops && train !== undefined ? { train } : {}),
    ...(drops && seed !== undefined ? { seed } : {}),
  });
  return { attend, call };
}

const without = <V>(all: Readonly<Record<string, V>>, known: object): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(known, name)));

/** Context and weights, whether weights were asked for or not. */
export function attended(
  attend: Attend,
  rows: readonly [query: Tensor, key: Tensor, value: Tensor],
  call: AttendCall,
  weights: AttendCall['weights'],
): Attended {
  return weights ? attend(...rows, { ...call, weights }) : { context: attend(...rows, call) };
}
