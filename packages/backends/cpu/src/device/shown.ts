// Weights on request beside the kernel for few queries, which has none to show: the context comes from that kernel as it
// would without the request, the weights from the tiles, so that asking changes no bit of the context.

import type { Allocation, AttendProgram, Backend, Call, Program, View } from '@heed/tensor';
import { product } from '../emit/geometry.ts';

/** Fewer queries than this may be done one by one (see emit/attend/few.ts). */
const FEW = 8;

/** Whether a call asks for weights where the context may be computed in another way without them. */
export const asksBesides = (program: Program, { sizes }: Call): program is AttendProgram =>
  program.kind === 'attend' && program.keep.weights !== false && (sizes.queryLength ?? FEW) < FEW;

/** Runs the program twice: for what is shown, into memory of its own but for the weights, and for the rest. */
export function showBesides(
  backend: Backend,
  program: AttendProgram,
  call: Call,
  show: (call: Call) => void,
): void {
  const { weights, ...rest } = call.outputs;
  const held: Allocation[] = [];
  const aside = ([name, view]: readonly [string, View]): readonly [string, View] => {
    const strides = view.shape.map((_, axis) => product(view.shape.slice(axis + 1)));
    const allocation = backend.allocate(Math.max(4, product(view.shape) * 4));
    held.push(allocation);
    return [name, { ...view, allocation, strides, offset: 0 }];
  };
  try {
    show({
      ...call,
      outputs: { ...Object.fromEntries(Object.entries(rest).map(aside)), weights: weights as View },
    });
    const bare: AttendProgram = { ...program, keep: { ...program.keep, weights: false } };
    backend.run(backend.compile(bare), { ...call, outputs: rest });
  } finally {
    for (const allocation of held) backend.free(allocation);
  }
}
