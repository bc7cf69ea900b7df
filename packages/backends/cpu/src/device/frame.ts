// The words of a call, written where the kernel reads them.

import { type Call, dtypes } from '@heed/tensor';
import type { Word } from '../emit/kernel.ts';
import type { Plan } from '../emit/plan.ts';

export interface FrameContext {
  readonly plan: Plan;
  readonly call: Call;
  readonly pool: number;
  readonly fault: number;
  /** Where an allocation begins. */
  address(of: Call['inputs'][string]['allocation']): number;
}

const float = new DataView(new ArrayBuffer(4));
const bitsOf = (value: number): number => {
  float.setFloat32(0, value);
  return float.getInt32(0);
};

/** Addresses and strides wrap at 2^32, as the machine's own sums do. */
function wordOf(word: Word, { plan, call, pool, fault, address }: FrameContext): number {
  switch (word.of) {
    case 'pool':
      return pool;
    case 'fault':
      return fault;
    case 'size':
      return plan.sizes[word.axis] as number;
    case 'stride':
      return plan.strides[word.tensor]?.[word.axis] as number;
    case 'address': {
      const view = call.inputs[word.tensor] ?? (call.outputs[word.tensor] as Call['outputs'][string]);
      return address(view.allocation) + view.offset * dtypes[view.dtype].bytes;
    }
    case 'uniform': {
      const value = call.uniforms[word.name] as number;
      return word.kind === 'int' ? value : bitsOf(value);
    }
    case 'number':
      return plan.numbers[word.name] as number;
  }
}

export function writeFrame(to: Int32Array<ArrayBuffer>, words: readonly Word[], context: FrameContext): void {
  for (const [i, word] of words.entries()) to[i] = wordOf(word, context) | 0;
}
