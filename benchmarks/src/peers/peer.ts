// What every system looks like to the benchmark.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Arrays } from '../inputs.ts';
import type { Facts } from '../protocol.ts';
import type { Task } from '../task.ts';

/** One way in which a system computes a task. */
export interface Way {
  readonly name: string;
  /** From inputs that lie where the system wants them to results that are done. Timed. */
  readonly run: () => Promise<unknown>;
  /** Runs once and gives the results, each laid out as [batch, head, length, feature]. */
  readonly results: () => Promise<readonly Float32Array[]>;
  /** What is known of a run, asked for after the last one that is timed. */
  readonly facts?: () => Promise<Facts>;
  /** Gives back what this way alone holds. */
  readonly release?: () => void;
}

export interface Peer {
  /** The version that runs, or what else tells two runs apart. */
  readonly about: string;
  /** The ways to compute a task; the fastest is the one that counts. @throws Cannot. */
  ways(task: Task, arrays: Arrays): Promise<readonly Way[]>;
}

/** A reason, for people to read, why a cell of the table stays empty. */
export class Cannot extends Error {}

/** A package of benchmarks/peers, typed by what is used of it. */
export function peerPackage<T>(name: string): T {
  return peers(name) as T;
}

export const peerFile = (path: string): string => peers.resolve(path);

/** Read from its manifest, which packages do not always export. */
export function versionOf(name: string): string {
  const manifest = new URL(`../../peers/node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

const peers = createRequire(new URL('../../peers/package.json', import.meta.url));
