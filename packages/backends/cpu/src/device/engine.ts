// Opening: what the engine can do, who does the work, and the backend of both. Loaded when a device is opened.

import { type Backend, BackendError, ValueError } from '@heed/tensor';
import { CpuBackend } from './backend.ts';
import { detect, machineOf } from './features.ts';
import type { CpuOptions } from './open.ts';
import { compilePlain } from './threads/compile.ts';
import { findRecruits } from './threads/recruit.ts';

const PAGE = 65536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65536;

/** More than any machine is known to gain from. */
const MOST_THREADS = 256;

function threadsOf({ threads }: CpuOptions): number | undefined {
  if (threads === undefined || (Number.isSafeInteger(threads) && threads >= 1 && threads <= MOST_THREADS))
    return threads;
  throw new ValueError(`cpu: threads: expected a whole number from 1 to ${MOST_THREADS}, got ${threads}.`);
}

/** @throws BackendError where WebAssembly or its 128-bit vectors are missing or forbidden. */
export async function openEngine(options: CpuOptions): Promise<Backend> {
  const { bytes = MOST_PAGES * PAGE, relaxed = true, poison = false } = options;
  const features = detect();
  if (!features.simd) {
    throw new BackendError(
      'cpu: open: this engine has WebAssembly but not its 128-bit vectors (SIMD), which came in 2021. Use reference() of ' +
        '@heed/reference, which is slow and runs everywhere.',
    );
  }
  // A little more than tensors may hold: constants, scratch and what alignment costs.
  const maximumPages = Math.min(MOST_PAGES, Math.ceil(bytes / PAGE) + 1024);
  const recruits = await findRecruits(threadsOf(options), features.shared);
  const { threads } = recruits;
  const plain = machineOf(features, { relaxed, shared: threads > 1, maximumPages, threads });
  const turbo = options.turbo ? await import('./turbo/turbo.ts') : null;
  const tried = turbo?.tryTurbo(plain, features.v8);
  const taken = tried?.refused === null ? turbo : null;
  const machine = taken ? { ...plain, turbo: true } : plain;
  const crew = recruits.recruit(taken?.compileTurbo ?? compilePlain, tried ? [tried.note] : []);
  return new CpuBackend({ machine, bytes, poison, checked: poison, crew });
}
