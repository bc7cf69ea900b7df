// Sequences of unlike length side by side: what the parts of an attention must know of it.

import type { AttentionOptions, Mask } from '@heed/attention';
import { inputsOf } from '@heed/expr';
import { type Device, ShapeError, type Tensor, tensor } from '@heed/tensor';

/** Gives the parts of a layer's attention the lengths that a cache counted. */
export type LengthsOf = (lengths: readonly number[] | null) => Readonly<Record<string, Tensor>>;

/**
 * What a layer adds to the side inputs of a call: `lengths` [batch], if a cache counts them and a part reads them.
 *
 * @param parts as they were given to the layer.
 * @throws ShapeError at a call where lengths differ and the parts do not go by them: no mask reads `lengths`, or a part takes the
 *   end of the longest sequence for that of all.
 */
export function lengthsFor(where: string, device: Device, parts: AttentionOptions): LengthsOf {
  const { mask = [], modifiers = [], reweight = [] } = parts;
  const masks = Array.isArray(mask) ? (mask as readonly Mask[]) : [mask as Mask];
  const read = [...masks, ...modifiers, ...reweight].map(({ kind, label, body }) => ({
    kind,
    label,
    names: new Set(inputsOf([body]).map(({ data }) => data.name)),
  }));
  const reading = read.filter(({ names }) => names.has('lengths'));
  const masked = reading.some(({ kind }) => kind === 'mask');
  const misled = read.find(({ names }) => names.has('keyLength'));
  return (lengths) => {
    if (!lengths) return {};
    const differ = lengths.some((one) => one !== lengths[0]);
    if (differ && (!masked || misled))
      throw new ShapeError(
        `${where}: the cache holds sequences of unlike length, [${lengths.join(', ')}], and ` +
          (misled
            ? `${misled.label} goes by the longest. Give it align: 'lengths'.`
            : "no mask goes by it. Make the layer with mask: [padding(), causal({ align: 'lengths' })]."),
      );
    return reading.length > 0 ? { lengths: tensor(device, lengths, { dtype: 'int32' }) } : {};
  };
}
