// The laws of backends: every program against the reference, every rule of the semantics, and the machine itself.

import { reference } from '@heed/reference';
import { type BackendPlugin, type Device, type DType, openDevice } from '@heed/tensor';
import fc from 'fast-check';
import { Random } from '../../random.ts';
import type { SceneOptions } from '../../scene/scene.ts';
import { type Law, type Runner, register } from '../law.ts';
import { type LawOptions, type Settings, settle } from '../options.ts';
import { onDevice } from '../stand.ts';
import { type Attempt, agree, isFloat } from './attempt.ts';
import { attentionLaws } from './attention.ts';
import { lookupAttempts, matmulAttempts, reduceAttempts, rowAttempts } from './folds.ts';
import { machineLaws } from './machine.ts';
import { castAttempts, mapAttempts } from './maps.ts';

export type BackendLawOptions = Omit<LawOptions, 'backend' | keyof SceneOptions>;

/**
 * Tests a backend: programs of every kind against the reference over random shapes, strides and all dtypes it claims;
 * attention's semantics, forward and backward; memory, faults, closing. What a backend does not support must be skipped
 * by name and with a reason.
 *
 * @example backendLaws(cpu(), { describe, it }, { skip: [{ law: '...', reason: '...' }] });
 */
export function backendLaws(plugin: BackendPlugin, runner: Runner, options: BackendLawOptions = {}): void {
  const settings = settle({ ...options, backend: plugin });
  const on = (make: Make, wanted: (dtype: DType) => boolean) => () => attemptAll(settings, make, wanted);
  const laws: Law[] = [
    { name: 'map: every op, on every float it stores', check: on(mapAttempts, isFloat) },
    { name: 'map: conversions between all dtypes it stores', check: () => convert(settings) },
    { name: 'reduce: all reductions, empty ones too', check: on(reduceAttempts, isFloat) },
    { name: 'row: softmax, layer norm', check: on(rowAttempts, isFloat) },
    { name: 'matmul: batches, strides, an epilogue', check: on(matmulAttempts, isFloat) },
    {
      name: 'gather and scatter-add',
      check: on(lookupAttempts, (dtype) => isFloat(dtype) || dtype === 'int32'),
    },
    ...attentionLaws(settings),
    ...machineLaws(settings),
  ];
  register(`backend ${plugin.name}`, runner, laws, options.skip);
}

type Make = (dtype: DType, random: Random) => readonly Attempt[];

const attemptAll = (settings: Settings, make: Make, wanted: (dtype: DType) => boolean): Promise<void> =>
  onBoth(settings, async (device, oracle) => {
    for (const dtype of device.backend.limits.dtypes.filter(wanted)) {
      await seeds(settings, async (random) => {
        for (const attempt of make(dtype, random))
          await agree(attempt, device, oracle, random, settings.factor);
      });
    }
  });

const convert = (settings: Settings): Promise<void> =>
  onBoth(settings, async (device, oracle) => {
    const { dtypes } = device.backend.limits;
    const random = new Random(settings.seed);
    for (const from of dtypes) {
      for (const to of dtypes)
        await agree(castAttempts(from, to, random), device, oracle, random, settings.factor);
    }
  });

const onBoth = (settings: Settings, body: (device: Device, oracle: Device) => Promise<void>): Promise<void> =>
  onDevice(settings.backend, async (device) => {
    const oracle = await openDevice(reference());
    try {
      await body(device, oracle);
    } finally {
      await oracle.close();
    }
  });

/** As many random draws as runs; a failure prints its seed. */
const seeds = (settings: Settings, body: (random: Random) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => body(new Random(seed))),
    // A smaller seed is no simpler case.
    { numRuns: settings.runs, seed: settings.seed, endOnFailure: true },
  );
