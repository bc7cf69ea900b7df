// The laws of backends, on every software device.

import { backendLaws } from '@heed/testing';
import { describe, it, vi } from 'vitest';
import { lavapipe, swiftshader } from './adapters.fixture.ts';
import { webgpu } from './index.ts';

// Shaders are compiled for a CPU here, on machines that may be busy.
vi.setConfig({ testTimeout: 120_000 });

// Each scene is a program of its own, whose shaders are compiled for seconds: nearly all of the time goes there.
const runs = 1;

/** What shows nothing of 16-bit floats and of subgroups of 8, for which there is the slower device. */
const long = [
  ...[
    'additive, causal, softmax, reweight',
    'distance, window and lengths, sparsemax',
    'dot, bias and slope, given pairs, sink',
    'additive, lengths, sigmoid',
    'dot, causal, hard',
  ].flatMap((name) => [
    `${name}: gradients on the device are those of the reference`,
    `${name}: gradients match central differences`,
  ]),
  'additive, causal: lengths of many tiles give what the formula says',
  'distance, window: lengths of many tiles give what the formula says',
  'NaN and infinity in masked keys and values reach no output and no gradient',
  'a row without an allowed key has context 0, weights 0, gradient 0 and level -infinity',
].map((law) => ({
  law,
  reason: 'lavapipe compiles these shaders for minutes; SwiftShader runs the same ones above',
}));

describe('SwiftShader', () => {
  backendLaws(webgpu({ ...swiftshader(), poison: true }), { describe, it }, { runs });
});

describe('lavapipe', () => {
  backendLaws(webgpu({ ...lavapipe(), poison: true }), { describe, it }, { runs, skip: long });
});
