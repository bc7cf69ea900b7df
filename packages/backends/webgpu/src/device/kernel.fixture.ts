// For tests of the device: programs with plans of the test's own.

import { scalar, trace } from '@heed/expr';
import { type Call, type MapProgram, signatures, type View } from '@heed/tensor';
import { least } from '../emit/machine.ts';
import type { Dispatch, Plan } from '../emit/plan.ts';
import { ShaderWriter } from '../emit/shader.ts';
import type { WebGpuBackend } from './backend.ts';
import { WebGpuKernel } from './kernel.ts';

/** out = a, one axis of float32. */
export const program: MapProgram = {
  kind: 'map',
  rank: 1,
  inputs: { a: 'float32' },
  uniforms: {},
  results: { out: { dtype: 'float32', body: trace('test', scalar, (x) => x('a', scalar)) } },
};

const INVOCATIONS = 64;

/** Adds one to each element. */
export const increment = (count: number): Dispatch => ({
  key: 'increment',
  groups: Math.ceil(count / INVOCATIONS),
  numbers: { count },
  emit: () => {
    const shader = new ShaderWriter(least);
    const { code } = shader;
    const from = shader.binding('a', 'read', 'f32');
    const to = shader.binding('out:out', 'write', 'f32');
    const at = code.let('at', `group * ${INVOCATIONS} + lid`);
    code.if(`${at} < ${shader.number('count')}`, () =>
      code.set(`${to}[${at} + ${shader.offset('out:out')}]`, `${from}[${at} + ${shader.offset('a')}] + 1.0`),
    );
    return shader.finish(INVOCATIONS);
  },
});

export const planOf = (dispatches: readonly Dispatch[], scratch: Plan['scratch'] = {}): Plan => ({
  dispatches,
  scratch,
  notes: ['a test'],
  work: { operations: 1, bytes: 2 },
});

/** A kernel of `program` that does what the test says. */
export const kernelOf = (backend: WebGpuBackend, plan: (count: number) => Plan): WebGpuKernel =>
  new WebGpuKernel(
    program,
    signatures.map(program, 'webgpu'),
    'test',
    (_, layouts) => plan(layouts['out:out']?.shape[0] as number),
    new Map(),
    backend.machine,
  );

/** One axis of float32 in memory of its own. */
export function put(backend: WebGpuBackend, values: readonly number[]): View {
  const allocation = backend.allocate(values.length * 4);
  backend.write(allocation, new Uint8Array(Float32Array.from(values).buffer));
  return { allocation, dtype: 'float32', shape: [values.length], strides: [1], offset: 0 };
}

export const call = (a: View, out: View): Call => ({
  inputs: { a },
  outputs: { out },
  uniforms: {},
  sizes: {},
});

/** All elements of a view's memory. */
export const take = async (backend: WebGpuBackend, { allocation }: View): Promise<number[]> => [
  ...new Float32Array((await backend.read(allocation, 0, allocation.bytes)).buffer),
];
