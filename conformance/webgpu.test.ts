// The webgpu backend on what others computed, in memory that holds NaN where nobody wrote. Each case is a program of its own,
// whose shaders a software device compiles for a second or two: hard numbers in full here, of every other family some. All
// of them, where there is a GPU: `pnpm conformance conformance --backend webgpu`.

import { webgpu } from '@heed/webgpu';
import { swiftshader } from '../packages/backends/webgpu/src/adapters.fixture.ts';
import { conform, familiesOfData } from './cases.fixture.ts';

const backend = webgpu({ ...swiftshader(), poison: true });

conform(['numerics'], { backend });

// The problems of the last one are made for large devices.
const others = familiesOfData.filter((family) => family !== 'numerics' && family !== 'large');
conform(others, { backend, most: 2 });
