// The plugin: how the CPU backend is opened.

import { BackendError, type BackendPlugin, ValueError } from '@heed/tensor';
import { CpuBackend } from './backend.ts';
import { detect, machineOf } from './features.ts';
import { compilePlain } from './threads/compile.ts';
import { findRecruits } from './threads/recruit.ts';
import { compileTurbo, tryTurbo } from './turbo/turbo.ts';

const PAGE = 65536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65536;

/** More than any machine is known to gain from. */
const MOST_THREADS = 256;

export interface CpuOptions {
  /** How much memory tensors may hold at once; all that WebAssembly can address, 4 GiB, if left out. */
  readonly bytes?: number;
  /**
   * Whether products and sums may be one instruction, rounded once where the processor can (true if left out). Without it
   * every machine computes the same bits, about a fifth slower.
   */
  readonly relaxed?: boolean;
  /**
   * How many threads work, this one among them: as many as the hardware runs at once, at most 16, if left out. Where there
   * can be no others it is one; `explain()` says why. Results are the same bits for a given number.
   */
  readonly threads?: number;
  /**
   * Whether kernels are compiled for vectors of 256 bits, about twice as fast: an experiment of V8, in Node 24 and later. A
   * trial at the start decides; where it fails kernels are plain, and `explain()` says why.
   */
  readonly turbo?: boolean;
  /** For tests: memory that was never written holds NaN, and emitted code is checked operand by operand. */
  readonly poison?: boolean;
}

function threadsOf({ threads }: CpuOptions): number | undefined {
  if (threads === undefined || (Number.isSafeInteger(threads) && threads >= 1 && threads <= MOST_THREADS))
    return threads;
  throw new ValueError(`cpu: threads: expected a whole number from 1 to ${MOST_THREADS}, got ${threads}.`);
}

/**
 * The backend that emits WebAssembly SIMD while it runs: no native addon, no file to host. Computes in float32.
 *
 * @throws BackendError, when opened, where WebAssembly or its 128-bit vectors are missing or forbidden.
 */
export function cpu(options: CpuOptions = {}): BackendPlugin<'cpu'> {
  const { bytes = MOST_PAGES * PAGE, relaxed = true, poison = false, turbo = false } = options;
  return {
    kind: 'backend',
    name: 'cpu',
    open: async () => {
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
      const tried = turbo ? tryTurbo(plain, features.v8) : null;
      const machine = tried?.refused === null ? { ...plain, turbo } : plain;
      const crew = recruits.recruit(machine.turbo ? compileTurbo : compilePlain, tried ? [tried.note] : []);
      return new CpuBackend({ machine, bytes, poison, checked: poison, crew });
    },
  };
}
