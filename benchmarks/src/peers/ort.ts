// onnxruntime, native in Node and as WASM: one interface, two packages.

import { model } from './onnx-model.ts';
import { graphsOf, type OrtWay } from './ort-graphs.ts';
import { Cannot, type Peer, peerPackage, versionOf, type Way } from './peer.ts';

interface OrtTensor {
  readonly data: Float32Array;
}
interface Session {
  run(
    feeds: Record<string, OrtTensor>,
    fetches?: Record<string, OrtTensor>,
  ): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
interface Ort {
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
  readonly env: { readonly wasm: { numThreads?: number }; logLevel?: string };
}

export async function openOrt(name: 'onnxruntime-node' | 'onnxruntime-web', threads: number): Promise<Peer> {
  const ort = peerPackage<Ort>(name);
  ort.env.logLevel = 'error';
  if (name === 'onnxruntime-web') ort.env.wasm.numThreads = threads;
  const options = {
    executionProviders: [name === 'onnxruntime-web' ? 'wasm' : 'cpu'],
    ...(name === 'onnxruntime-node'
      ? { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' }
      : {}),
  };
  return {
    about: versionOf(name),
    ways: async (task, arrays) => {
      const made: Way[] = [];
      const refused: string[] = [];
      for (const graph of graphsOf(task, arrays)) {
        try {
          made.push(await wayOf(ort, graph, options, name === 'onnxruntime-node'));
        } catch (problem) {
          refused.push(`${graph.name}: ${problem instanceof Error ? problem.message : problem}`);
        }
      }
      if (made.length === 0) throw new Cannot(refused.join('; '));
      return made;
    },
  };
}

/**
 * `fetches`: whether the result has its place before the run, so that none is made anew. The WASM build leaves such a
 * place as it was.
 */
async function wayOf(
  ort: Ort,
  { name, graph, feeds, canonical }: OrtWay,
  options: Record<string, unknown>,
  fetches: boolean,
): Promise<Way> {
  const session = await ort.InferenceSession.create(model(graph), options);
  const given = Object.fromEntries(
    Object.entries(graph.inputs).map(([input, shape]) => [
      input,
      new ort.Tensor('float32', feeds[input] as Float32Array, shape),
    ]),
  );
  const { name: out, shape } = graph.output;
  const size = shape.reduce((product, one) => product * one, 1);
  const place = { [out]: new ort.Tensor('float32', new Float32Array(size), shape) };
  const run = () => (fetches ? session.run(given, place) : session.run(given));
  return {
    name,
    run,
    results: async () => [canonical(((await run())[out] as OrtTensor).data.slice())],
    release: () => void session.release(),
  };
}
