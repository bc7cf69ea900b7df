// Flags of V8 that hold for one compilation: they are set, a module is compiled synchronously, they are set back.
//
// V8 has a pass that makes one instruction on 256 bits of two on 128 bits whose results end side by side in memory. It is
// an experiment, off by default, and works in the optimising compiler of Node 24 and later. Changing flags of a running
// engine is something that Node warns of; nothing else of the process is compiled while they are set.

import { builtin, host } from '../threads/host.ts';

/** On while compiling: the pass, and the optimising compiler at once, so that the pass is not put off. */
const EAGER = ['--no-liftoff', '--no-wasm-lazy-compilation'];
const PASS = '--experimental-wasm-revectorize';

/** The flag that undoes a flag. */
const opposite = (flag: string): string =>
  flag.startsWith('--no-') ? flag.replace('--no-', '--') : flag.replace('--', '--no-');

/** Whether someone started the process with this flag: then it stays. */
function given(flag: string): boolean {
  const flags = [...(host.process?.execArgv ?? []), ...(host.process?.env?.NODE_OPTIONS ?? '').split(/\s+/)];
  return flags.some((one) => one.replaceAll('_', '-') === flag);
}

/** Compiles with the optimising compiler, with the pass or without. Only where Node is. */
export function compileEagerly(bytes: Uint8Array<ArrayBuffer>, pass: boolean): WebAssembly.Module {
  const v8 = builtin('node:v8');
  if (!v8) throw new Error('There are no flags to set here.');
  const flags = pass ? [...EAGER, PASS] : EAGER;
  for (const flag of flags) v8.setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const flag of flags) if (!given(flag)) v8.setFlagsFromString(opposite(flag));
  }
}
