// Everything that is measured, by name. Each runs in a process of its own: they bring their own threads and memories,
// and two of them share a package that holds one state.

import type { Peer } from './peers/peer.ts';

export interface System {
  readonly name: string;
  /** What it is, in a few words for the legend. */
  readonly what: string;
  /** The colour of its dots. */
  readonly colour: string;
  /** Where it runs: modules are loaded only in the process that measures them. */
  readonly open: 'python' | ((threads: number) => Promise<Peer>);
}

export const HEED = 'heed';
/** Those that, like heed, need nothing native and run in a page. */
export const WEB: readonly string[] = ['onnxruntime-web', 'jax-js', 'tfjs'];

const heed = async (threads: number, turbo: boolean): Promise<Peer> =>
  (await import('./peers/heed-cpu.ts')).openHeedCpu({ threads, turbo });
const ort = (name: 'onnxruntime-node' | 'onnxruntime-web') => async (threads: number) =>
  (await import('./peers/ort.ts')).openOrt(name, threads);

export const systems: readonly System[] = [
  { name: HEED, what: 'CPU backend, plain', colour: '#0b6e4f', open: (threads) => heed(threads, false) },
  {
    name: 'heed-turbo',
    what: 'CPU backend, turbo',
    colour: '#6bbf59',
    open: (threads) => heed(threads, true),
  },
  { name: 'onnxruntime-node', what: 'native', colour: '#1f4e9c', open: ort('onnxruntime-node') },
  { name: 'onnxruntime-web', what: 'WASM', colour: '#6fa8dc', open: ort('onnxruntime-web') },
  {
    name: 'jax-js',
    what: 'WASM, one thread in Node',
    colour: '#8e44ad',
    open: async () => (await import('./peers/jax.ts')).openJax('wasm'),
  },
  {
    name: 'tfjs',
    what: 'WASM, one thread in Node',
    colour: '#e69138',
    open: async () => (await import('./peers/tfjs.ts')).openTfjs('wasm'),
  },
  { name: 'torch', what: 'native, eager', colour: '#c0392b', open: 'python' },
  { name: 'torch-compiled', what: 'native, compiled', colour: '#e06666', open: 'python' },
];
