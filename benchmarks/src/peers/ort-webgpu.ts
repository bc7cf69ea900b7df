// onnxruntime on WebGPU: native in Node with a Dawn of its own, and the build for pages on the Dawn that it is given.
// Inputs and results stay on the device, as they would between two layers of a model.

import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Graph, model, type Output } from './onnx-model.ts';
import { graphsOf, groupQuery, type OrtWay } from './ort-graphs.ts';
import { Cannot, type Peer, peerFile, peerPackage, versionOf, type Way } from './peer.ts';

interface OrtTensor {
  readonly data: Float32Array;
  dispose(): void;
}
interface Session {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
type Location = 'cpu' | 'gpu-buffer';
interface Ort {
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string }; logLevel?: string };
}

export async function openOrtNode(): Promise<Peer> {
  const ort = peerPackage<Ort & { listSupportedBackends(): { name: string }[] }>('onnxruntime-node');
  if (!ort.listSupportedBackends().some(({ name }) => name === 'webgpu'))
    throw new Cannot(`has no WebGPU in version ${versionOf('onnxruntime-node')}`);
  return peerOf(ort, versionOf('onnxruntime-node'));
}

export async function openOrtWeb(): Promise<Peer> {
  // Node's conditions lead to the build without WebGPU: the file that pages load is named here.
  const folder = dirname(peerFile('onnxruntime-web'));
  const ort = (await import(pathToFileURL(`${folder}/ort.webgpu.bundle.min.mjs`).href)) as Ort;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = `${pathToFileURL(folder).href}/`;
  return peerOf(ort, versionOf('onnxruntime-web'));
}

function peerOf(ort: Ort, version: string): Peer {
  ort.env.logLevel = 'error';
  return {
    about: version,
    ways: async (task, arrays) => {
      const made: Way[] = [];
      const refused: string[] = [];
      for (const graph of [...graphsOf(task, arrays), ...groupQuery(task, arrays)]) {
        try {
          made.push(await wayOf(ort, graph));
        } catch (problem) {
          refused.push(`${graph.name}: ${problem instanceof Error ? problem.message : problem}`);
        }
      }
      if (made.length === 0) throw new Cannot(refused.join('; '));
      return made;
    },
  };
}

/** A node without a kernel for WebGPU is an error: nothing is computed on the CPU unseen. */
const open = (ort: Ort, graph: Graph, locations: Readonly<Record<string, Location>>): Promise<Session> =>
  ort.InferenceSession.create(model(graph), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: locations,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });

async function wayOf(ort: Ort, { name, graph, feeds, canonical }: OrtWay): Promise<Way> {
  const { output, more = [] } = graph;
  const onDevice = [output, ...more];
  const session = await open(ort, withFirst(graph), {
    ...Object.fromEntries(onDevice.map((one) => [one.name, 'gpu-buffer' as const])),
    [FIRST]: 'cpu',
  });
  const given: Record<string, OrtTensor> = {};
  for (const [input, shape] of Object.entries(graph.inputs))
    given[input] = await moved(
      ort,
      new ort.Tensor('float32', feeds[input] as Float32Array, shape),
      shape,
      'gpu-buffer',
    );
  const release = (results: Record<string, OrtTensor>) => {
    for (const one of onDevice) results[one.name]?.dispose();
  };
  return {
    name,
    run: async () => release(await session.run(given)),
    results: async () => {
      const results = await session.run(given);
      const numbers = (await moved(ort, results[output.name] as OrtTensor, output.shape, 'cpu')).data.slice();
      release(results);
      return [canonical(numbers)];
    },
    release: () => void session.release(),
  };
}

/** A copy of a tensor, to or from the device: only the result of a session can be placed there in both packages. */
async function moved(
  ort: Ort,
  tensor: OrtTensor,
  shape: readonly number[],
  to: Location,
): Promise<OrtTensor> {
  const copy = {
    nodes: [node('Identity', ['from'], 'to')],
    inputs: { from: shape },
    output: { name: 'to', shape },
  };
  const session = await open(ort, copy, { to });
  const { to: there } = await session.run({ from: tensor });
  return there as OrtTensor;
}

const FIRST = 'firstElement';
const node = (op: string, inputs: readonly string[], output: string) => ({ op, inputs, outputs: [output] });

/** The graph and one element more of its result, which is read: what everybody's run waits for. */
function withFirst(graph: Graph): Graph {
  const one = (value: bigint) => ({ shape: [1], data: BigInt64Array.of(value) });
  const first: Output = { name: FIRST, shape: [1] };
  return {
    ...graph,
    nodes: [
      ...graph.nodes,
      node('Reshape', [graph.output.name, 'flat'], 'flattened'),
      node('Slice', ['flattened', 'begin', 'end'], FIRST),
    ],
    constants: { ...graph.constants, flat: one(-1n), begin: one(0n), end: one(1n) },
    more: [...(graph.more ?? []), first],
  };
}
