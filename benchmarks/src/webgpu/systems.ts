// What is measured on WebGPU, by name. Each runs in a process of its own and brings or is given a device of its own.

import type { Peer } from '../peers/peer.ts';
import { HEED, type System } from '../systems.ts';

const heed = async (subgroups: boolean): Promise<Peer> =>
  (await import('../peers/heed-webgpu.ts')).openHeedWebGpu({ subgroups });

/** Those that find their GPU at navigator.gpu. Their buffers are counted. */
async function given(open: () => Promise<Peer>): Promise<Peer> {
  const { meter } = (await import('./gpu.ts')).provideGpu();
  const peer = await open();
  return {
    about: peer.about,
    ways: async (task, arrays) => {
      const ways = await peer.ways(task, arrays);
      return ways.map((way) => ({ ...way, facts: async () => meter.reading }));
    },
  };
}

/** heed without subgroup operations, which it is compared with where the adapter has them. */
export const PLAIN = 'heed-plain';

export const systems: readonly System[] = [
  { name: HEED, what: 'WebGPU backend', colour: '#0b6e4f', open: () => heed(true) },
  { name: PLAIN, what: 'WebGPU backend, no subgroups', colour: '#6bbf59', open: () => heed(false) },
  {
    name: 'onnxruntime-node',
    what: 'native, its own Dawn',
    colour: '#1f4e9c',
    open: async () => (await import('../peers/ort-webgpu.ts')).openOrtNode(),
  },
  {
    name: 'onnxruntime-web',
    what: 'WASM and WebGPU',
    colour: '#6fa8dc',
    open: () => given(async () => (await import('../peers/ort-webgpu.ts')).openOrtWeb()),
  },
  {
    name: 'jax-js',
    what: 'WebGPU',
    colour: '#8e44ad',
    open: () => given(async () => (await import('../peers/jax.ts')).openJax('webgpu')),
  },
  {
    name: 'tfjs',
    what: 'WebGPU',
    colour: '#e69138',
    open: () => given(async () => (await import('../peers/tfjs.ts')).openTfjs('webgpu')),
  },
];
