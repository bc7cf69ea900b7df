// For tests: shaders run over arrays.

import { adapters } from '../adapters.fixture.ts';
import { type Found, findDevice } from '../device/find.ts';
import { machineOf } from '../device/machine.ts';
import type { WebGpuOptions } from '../device/open.ts';
import { typeOf, type Width } from './lanes.ts';
import type { Machine } from './machine.ts';
import { ShaderWriter } from './shader.ts';

export type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

const STORAGE = 0x80;
const UNIFORM = 0x40;
const COPY_SRC = 4;
const COPY_DST = 8;
const MAP_READ = 1;

const devices = new Map<() => WebGpuOptions, Promise<Found>>();

/** What runs shaders: each adapter by its name, at each width. */
export const places = adapters.flatMap(([name, options]) =>
  ([1, 4] as const).map((width) => ({ name, width, options })),
);

async function deviceOf(options: () => WebGpuOptions): Promise<Found> {
  const known = devices.get(options) ?? findDevice(options());
  devices.set(options, known);
  return known;
}

/**
 * Runs a shader of `count` invocations.
 *
 * @param write writes the body for the invocation `i` (i32); what it binds must be among `tensors`.
 * @returns what the tensors hold afterwards.
 */
export async function runShader(
  options: () => WebGpuOptions,
  tensors: Readonly<Record<string, ArrayBuffer>>,
  count: number,
  write: (shader: ShaderWriter, i: string) => void,
  machine?: Partial<Machine>,
): Promise<Record<string, ArrayBuffer>> {
  const found = await deviceOf(options);
  const { device } = found;
  const writer = new ShaderWriter({
    ...machineOf(found, { half: true, subgroups: false, matrices: false }),
    ...machine,
  });
  const { code: body } = writer;
  const i = body.let('i', 'group * 64 + lid');
  body.if(`${i} < ${writer.number('count')}`, () => write(writer, i));
  const { code, buffers, slots } = writer.finish(64);
  device.pushErrorScope('validation');
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const problem = await device.popErrorScope();
  if (problem) throw new Error(`${problem.message}\n${code}`);
  const given = (data: ArrayBuffer, usage: number): GPUBuffer => {
    const size = Math.ceil(data.byteLength / 4) * 4;
    const bytes = new Uint8Array(size);
    bytes.set(new Uint8Array(data));
    const buffer = device.createBuffer({ size, usage: usage | COPY_SRC | COPY_DST });
    device.queue.writeBuffer(buffer, 0, bytes);
    return buffer;
  };
  const words = new Int32Array(Math.max(4, Math.ceil(slots.length / 4) * 4)).fill(count);
  const resources = [
    given(words.buffer, UNIFORM),
    ...buffers.map(({ tensor }) => given(tensors[tensor] as ArrayBuffer, STORAGE)),
  ];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  const groups = Math.ceil(count / 64);
  const across = Math.min(groups, 32768);
  pass.dispatchWorkgroups(across, Math.ceil(groups / across));
  pass.end();
  const read = resources.map((buffer) => {
    const copy = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  const results: Record<string, ArrayBuffer> = {};
  for (const [at, copy] of read.entries()) {
    await copy.mapAsync(1);
    const tensor = buffers[at - 1]?.tensor;
    if (tensor !== undefined) results[tensor] = copy.getMappedRange().slice(0);
    copy.destroy();
  }
  for (const buffer of resources) buffer.destroy();
  device.queue.submit([]);
  return results;
}

const elementOf = (numbers: Numbers): 'float' | 'int' => (numbers instanceof Float32Array ? 'float' : 'int');

/**
 * What an expression of `args.length` values comes to for every element of the arrays, whose lengths are multiples of the
 * width. Bools come as ints, 0 or 1.
 */
export async function onArrays(
  { options, width }: { readonly options: () => WebGpuOptions; readonly width: Width },
  result: 'float' | 'int' | 'bool',
  write: (shader: ShaderWriter, args: readonly string[]) => string,
  ...args: readonly Numbers[]
): Promise<ArrayBuffer> {
  const length = (args[0] as Numbers).length;
  const tensors: Record<string, ArrayBuffer> = { out: new ArrayBuffer(4 * length) };
  args.forEach((arg, k) => {
    tensors[`arg${k}`] = arg.buffer;
  });
  const element = result === 'bool' ? 'int' : result;
  const found = await runShader(options, tensors, length / width, (shader, i) => {
    const values = args.map((arg, k) =>
      shader.code.let('a', `${shader.binding(`arg${k}`, 'read', typeOf(elementOf(arg), width))}[${i}]`),
    );
    const value = write(shader, values);
    const type = typeOf(element, width);
    shader.code.set(
      `${shader.binding('out', 'write', type)}[${i}]`,
      result === 'bool' ? `select(${type}(0), ${type}(1), ${value})` : value,
    );
  });
  return found.out as ArrayBuffer;
}
