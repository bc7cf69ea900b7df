// The worker: answers one question at a time, so that the page never waits for arithmetic. Between questions it tries
// the other bandwidths.

import { cpu } from '@heed/cpu';
import csv from '@observablehq/sample-datasets/weather.csv?raw';
import { createHeed, HeedError } from 'heed';
import {
  bandwidths,
  baselines,
  counted,
  createFitter,
  crossValidate,
  errorOf,
  type Fitter,
  readRecord,
  type Series,
  type Settings,
  seriesOf,
} from 'weather';
import type { Answer, Question, Refusal, Reply, SweepPoint } from './protocol.ts';

const { backend, kernels } = counted(cpu());
const opened = createHeed({ backend });

interface Scene {
  readonly series: Series;
  readonly fitter: Fitter;
}
const scenes = new Map<string, Scene>();
const sweeps = new Map<string, Map<number, SweepPoint>>();
let turn = 0;
/** How long nobody must have asked anything before other bandwidths are tried, ms: a moving slider never waits. */
const PATIENCE = 400;

async function sceneOf({ city, resolution }: Settings): Promise<Scene> {
  const key = `${city}, ${resolution}`;
  let scene = scenes.get(key);
  if (!scene) {
    const series = seriesOf(readRecord(csv, city), resolution);
    scene = { series, fitter: createFitter(await opened, series) };
    scenes.set(key, scene);
  }
  return scene;
}

async function answer(settings: Settings): Promise<Answer> {
  const { series, fitter } = await sceneOf(settings);
  const before = kernels();
  const began = performance.now();
  const fit = await fitter.fit(settings);
  const milliseconds = performance.now() - began;
  const { spec, plan, notes, backend, source } = fitter.explain(settings);
  return {
    kind: 'answer',
    settings,
    series,
    fit,
    error: errorOf(series, fit.predictions),
    baselines: Object.values(baselines).map(({ label, predict }) => ({
      label,
      ...errorOf(series, predict(series)),
    })),
    plan: [
      { title: 'Equation', text: spec },
      { title: 'Plan', text: plan },
      { title: 'Notes', text: notes.join('\n') || 'Nothing was moved or rewritten.' },
      { title: 'Backend', text: backend },
      { title: 'Kernel', text: source },
    ],
    backend: (await opened).device.name,
    compiled: kernels() - before,
    kernels: kernels(),
    milliseconds,
  };
}

/** One bandwidth after the other, until there is something better to do. */
async function sweep(settings: Settings, mine: number): Promise<void> {
  const { series, fitter } = await sceneOf(settings);
  const key = JSON.stringify({ ...settings, bandwidth: 0 });
  const known = sweeps.get(key) ?? new Map<number, SweepPoint>();
  sweeps.set(key, known);
  const newer = async (milliseconds: number): Promise<boolean> => {
    await pause(milliseconds);
    return mine !== turn;
  };
  if (await newer(PATIENCE)) return;
  for (const bandwidth of bandwidths) {
    if (known.has(bandwidth)) continue;
    const one = { ...settings, bandwidth };
    if (await newer(0)) return;
    const plain = await fitter.fit(one);
    if (await newer(0)) return;
    const crossValidated = await crossValidate(series, fitter, one);
    known.set(bandwidth, { bandwidth, held: errorOf(series, plain.predictions).rmse, crossValidated });
    tell({ kind: 'sweep', settings, points: sorted(known) });
  }
  tell({ kind: 'sweep', settings, points: sorted(known) });
}

const sorted = (points: ReadonlyMap<number, SweepPoint>): readonly SweepPoint[] =>
  [...points.values()].sort((a, b) => a.bandwidth - b.bandwidth);

/** Lets a question that has arrived meanwhile be read. */
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const tell = (reply: Reply): void => {
  postMessage(reply, reply.kind === 'answer' ? { transfer: [reply.fit.weights.buffer] } : {});
};

const refusal = (settings: Settings, problem: unknown): Refusal => ({
  kind: 'refusal',
  settings,
  code: problem instanceof HeedError ? problem.code : 'INTERNAL',
  message: problem instanceof Error ? problem.message : String(problem),
});

self.onmessage = async ({ data: { settings } }: MessageEvent<Question>) => {
  const mine = ++turn;
  try {
    tell(await answer(settings));
  } catch (problem) {
    tell(refusal(settings, problem));
    return;
  }
  // What goes wrong here was not asked for: the page lacks a curve, and keeps its answer.
  await sweep(settings, mine).catch((problem) => console.error(problem));
};
