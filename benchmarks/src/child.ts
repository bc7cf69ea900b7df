// The process of one system: node child.ts <backend> <system> <threads>. Speaks the protocol over stdin and stdout.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { load, save } from './inputs.ts';
import type { Peer, Way } from './peers/peer.ts';
import type { PreparedWay, Refusal, Replies, Request } from './protocol.ts';
import { systemsOf } from './systems-of.ts';
import { inputsOf } from './task.ts';

const [, , backend = '', name, threads = '1'] = process.argv;
const say = (reply: unknown): void => void process.stdout.write(`${JSON.stringify(reply)}\n`);
// Stdout belongs to the protocol; packages like to greet.
console.log = console.info = console.error;

const reasonOf = (problem: unknown): string =>
  (problem instanceof Error ? problem.message : String(problem))
    // Where somebody's machine keeps a file says nothing here.
    .replaceAll(/(?:\/[\w.@+-]+){2,}\//g, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);

const opened = new Map<string, { ways: readonly Way[]; chosen: Way | undefined }>();

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

type Asked<K extends Request['ask']> = Extract<Request, { ask: K }>;
type Handlers = { readonly [K in Request['ask']]: (peer: Peer, asked: Asked<K>) => Promise<Replies[K]> };

const handlers: Handlers = {
  prepare: async (peer, { id, task, folder }) => {
    const arrays = Object.fromEntries(
      Object.keys(inputsOf(task)).map((one) => [one, load(join(folder, `${one}.f32`))]),
    );
    const ways = await peer.ways(task, arrays);
    opened.set(id, { ways, chosen: undefined });
    const prepared: PreparedWay[] = [];
    for (const [at, way] of ways.entries()) {
      try {
        const place = join(folder, `${name}-${at}`);
        mkdirSync(place, { recursive: true });
        const results = await way.results();
        prepared.push({ name: way.name, files: results.map((one, i) => save(place, `result${i}`, one)) });
      } catch (problem) {
        prepared.push({ name: way.name, files: [], failed: reasonOf(problem) });
      }
    }
    return { ways: prepared };
  },
  choose: async (_, { id, ways, seconds }) => {
    const entry = opened.get(id);
    let best: { way: Way; once: number } | undefined;
    for (const way of entry?.ways ?? []) {
      if (!ways.includes(way.name)) continue;
      let once = await timeOf(way.run);
      // The first runs are slower: engines compile what is hot.
      const end = performance.now() + seconds * 1000;
      while (performance.now() + once < end) once = Math.min(once, await timeOf(way.run));
      if (!best || once < best.once) best = { way, once };
    }
    if (!entry || !best) throw new Error('there is no way to choose');
    entry.chosen = best.way;
    for (const way of entry.ways) if (way !== best.way) way.release?.();
    return { way: best.way.name, once: best.once };
  },
  time: async (_, { id, seconds, least }) => {
    const run = opened.get(id)?.chosen?.run;
    if (!run) throw new Error(`"${id}" has not been prepared`);
    const times: number[] = [];
    const first = await timeOf(run);
    // A long run needs no warming up: what it would warm is a small part of it.
    if (first > 500) times.push(first);
    const end = performance.now() + seconds * 1000;
    while (times.length < least || performance.now() < end) times.push(await timeOf(run));
    return { times };
  },
  facts: async (_, { id }) => (await opened.get(id)?.chosen?.facts?.()) ?? {},
};

function answer<K extends Request['ask']>(peer: Peer, asked: Asked<K>): Promise<Replies[K]> {
  return handlers[asked.ask as K](peer, asked);
}

try {
  const system = (await systemsOf(backend)).find((one) => one.name === name);
  if (!system || system.open === 'python') throw new Error(`there is no system "${name}" for this process`);
  const peer = await system.open(Number(threads));
  say({ about: peer.about } satisfies Replies['open']);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(peer, JSON.parse(line) as Request));
    } catch (problem) {
      say({ cannot: reasonOf(problem) } satisfies Refusal);
    }
  }
} catch (problem) {
  say({ cannot: reasonOf(problem) } satisfies Refusal);
}
process.exit(0);
