// The webgpu backend on what others computed, in memory that holds NaN where nobody wrote. Each case is a program of its own,
// whose shaders a software device compiles for a second or two. All of them, where there is a GPU:
// `pnpm conformance conformance --backend webgpu`.

import { webgpu } from '@heed/webgpu';
import { swiftshader } from '../packages/backends/webgpu/src/adapters.fixture.ts';
import { conform, familiesOfData } from './cases.fixture.ts';

const backend = webgpu({ ...swiftshader(), poison: true });

/** With gradients of many shapes: half of the time that all cases would take. */
const slow = ['additive', 'flex', 'hf', 'keras'];
/** Its problems are made for large devices. */
const large = ['large'];

const quick = familiesOfData.filter((family) => ![...slow, ...large].includes(family));
conform(quick, { backend });
conform(slow, { backend, most: 2 });
