// The webgpu backend on what others computed, in memory that holds NaN where nobody wrote. Each case is a program of its own,
// whose shaders a software device compiles for a second or two: hard numbers in full here, of every other family some. All
// of them, where there is a GPU: `pnpm conformance conformance --backend webgpu`.

import { webgpu } from '@heed/webgpu';
import { swiftshader } from '../packages/backends/webgpu/src/adapters.fixture.ts';
import { conform, familiesOfData } from './cases.fixture.ts';

const backend = webgpu({ ...swiftshader(), poison: true });

const level =
  'scores of 1e4: the level of a row is a float32, whose steps there are 1e-3, and weights are read off it';
conform(['numerics'], {
  backend,
  short: { 'numerics/sparsemax-extreme-rows': level, 'numerics/entmax15-extreme-rows': level },
});

// The problems of the last one are made for large devices.
const others = familiesOfData.filter((family) => family !== 'numerics' && family !== 'large');
conform(others, { backend, most: 2 });
