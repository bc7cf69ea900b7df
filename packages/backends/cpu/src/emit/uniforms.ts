// Numbers of the call, the same in all lanes.

import type { Uniforms } from '@heed/tensor';
import type { Body } from './kernel.ts';
import type { Lanes } from './simd.ts';

/** A uniform by name: one broadcast load where it is read. */
export const uniformLanes = (
  { code, frame, writer }: Body,
  uniforms: Uniforms,
): (readonly [string, () => Lanes])[] =>
  Object.entries(uniforms).map(([name, kind]) => [
    name,
    () => [
      code.let('v128', code.load('v128.load32_splat', frame, writer.word({ of: 'uniform', name, kind }))),
    ],
  ]);
