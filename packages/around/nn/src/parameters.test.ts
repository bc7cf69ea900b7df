import { reference } from '@heed/reference';
import { cast, openDevice, type Tensor, tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import {
  type Arrays,
  fromSafetensors,
  linear,
  load,
  safetensorsMetadata,
  save,
  tensorsOf,
  toSafetensors,
} from './index.ts';

const device = await openDevice(reference());
const make = (seed: number) => linear(device, { in: 3, out: 2, seed });

describe('save and load', () => {
  it('bring a layer to another', async () => {
    const [from, to] = [make(1), make(2)];
    const saved = await save(from);
    expect(Object.entries(saved).map(([path, { dtype, shape }]) => `${path} ${dtype} [${shape}]`)).toEqual([
      'weight float32 [2,3]',
      'bias float32 [2]',
    ]);
    load(to, saved);
    const x = tensor(device, [[1, 2, 3]]);
    expect(await to(x).read()).toEqual(await from(x).read());
    expect(to.parameters.weight?.tracked).toBe(true);
  });

  it('convert to the dtype of the parameter', async () => {
    const to = linear(device, { in: 3, out: 2, seed: 2, dtype: 'float64' });
    load(to, await save(make(1)));
    expect(to.parameters.weight?.dtype).toBe('float64');
    expect(Array.from((await to.parameters.weight?.read()) ?? [])).toEqual(
      Array.from((await make(1).parameters.weight?.read()) ?? []),
    );
  });

  it('take tensors, views of others too, and leave them to their owner', async () => {
    const to = make(2);
    const wide = tensor(device, [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    load(to, { weight: wide.slice(1, 1, 4), bias: to.parameters.bias as Tensor });
    expect(await to.parameters.weight?.toNested()).toEqual([
      [2, 3, 4],
      [6, 7, 8],
    ]);
    wide.dispose();
    expect(await to.parameters.weight?.toNested()).toEqual([
      [2, 3, 4],
      [6, 7, 8],
    ]);
  });

  it('change nothing where one does not fit', async () => {
    const to = make(2);
    const before = await save(to);
    const { weight } = await save(make(1));
    expect(() => load(to, { weight: weight!, bias: tensor(device, [1, 2, 3]) })).toThrow(
      '"bias" must be [2], got [3]',
    );
    expect(await save(to)).toEqual(before);
  });
});

describe('safetensors', () => {
  // Written by hand after the format's description: a length of 8 bytes, a header, numbers.
  const header = '{"__metadata__":{"by":"hand"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}     ';
  const file = new Uint8Array([
    ...[header.length, 0, 0, 0, 0, 0, 0, 0],
    ...new TextEncoder().encode(header),
    ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
  ]);

  it('reads and writes the bytes of the format', () => {
    const arrays: Arrays = { b: { dtype: 'float32', shape: [2], data: Float32Array.of(1, -2) } };
    expect(fromSafetensors(file)).toEqual(arrays);
    expect(fromSafetensors(file.buffer)).toEqual(arrays);
    expect(safetensorsMetadata(file)).toEqual({ by: 'hand' });
    expect(toSafetensors(arrays, { by: 'hand' })).toEqual(file);
  });

  it('brings every dtype back, and leaves out what is not kept', async () => {
    const values = tensor(device, [0.5, -2, 3]);
    const arrays = await save({
      parameters: {
        wide: cast(values, 'float64'),
        single: values,
        half: cast(values, 'float16'),
        brain: cast(values, 'bfloat16'),
        whole: tensor(device, [1, -2, 3], { dtype: 'int32' }),
        byte: tensor(device, [1, -2, 3], { dtype: 'int8' }),
        truth: tensor(device, [true, false, true]),
        empty: tensor(device, [], { shape: [0, 4] }),
        scalar: tensor(device, 7),
      },
    });
    const bytes = toSafetensors(arrays);
    expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0);
    expect(fromSafetensors(bytes)).toEqual(arrays);
    expect(Object.keys(fromSafetensors(bytes, { keep: (path) => path.startsWith('w') })).sort()).toEqual([
      'whole',
      'wide',
    ]);
    // Equal parameters in another order are equal bytes.
    expect(toSafetensors(Object.fromEntries(Object.entries(arrays).reverse()) as Arrays)).toEqual(bytes);
    expect(await tensorsOf(device, arrays).half?.toNested()).toEqual([0.5, -2, 3]);
  });
});
