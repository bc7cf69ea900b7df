// The numbers that go in, drawn once for each row of the table and read by every system from the same files.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Drawn, inputsOf, STEP, type Task } from './task.ts';

export type Arrays = Readonly<Record<string, Float32Array>>;

/** Draws the inputs of a task: the same ones at every run. */
export function draw(task: Task): Arrays {
  return Object.fromEntries(
    Object.entries(inputsOf(task)).map(([name, drawn], i) => [name, normals(drawn, i + 1)]),
  );
}

/** Raw float32, in the order of bytes of this machine. */
export function save(folder: string, name: string, { buffer, byteOffset, byteLength }: Float32Array): string {
  const file = join(folder, `${name}.f32`);
  writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
  return file;
}

export function load(file: string): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Box and Muller's method over the counter-based generator of Steele, Lea and Flood 2014 (SplitMix, 32 bits). */
function normals({ shape, deviation, storage }: Drawn, seed: number): Float32Array {
  let state = Math.imul(seed, 0x9e3779b9);
  const uniform = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (((z ^ (z >>> 16)) >>> 0) + 0.5) / 2 ** 32;
  };
  const out = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < out.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
  }
  return stored(out, storage);
}

/** Numbers that the storage holds exactly, so that whoever stores them otherwise computes with the same ones. */
function stored(numbers: Float32Array, storage: Drawn['storage']): Float32Array {
  if (storage === 'bfloat16') {
    const bits = new Uint32Array(numbers.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] as number) & 0xffff0000;
  } else if (storage === 'int8') {
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = Math.max(-127, Math.min(127, Math.round((numbers[i] as number) / STEP))) * STEP;
    }
  }
  return numbers;
}
