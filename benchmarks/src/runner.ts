// The process of a system, as the benchmark sees it: questions in, answers out, a new one where the old one died.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Refusal, Replies, Request } from './protocol.ts';
import type { System } from './systems.ts';

/** How long one answer may take. */
const PATIENCE = 240_000;

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface Surroundings {
  readonly threads?: number;
  /** Variables of the environment, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Runner {
  readonly backend: string;
  readonly system: System;
  readonly threads: number;
  #child: ChildProcess | undefined;
  #about: string | undefined;
  readonly #env: Surroundings['env'];
  #complaints = '';
  #hear: (reply: unknown) => void = () => undefined;

  constructor(backend: string, system: System, { threads = 1, env = {} }: Surroundings = {}) {
    this.backend = backend;
    this.system = system;
    this.threads = threads;
    this.#env = env;
  }

  get name(): string {
    return this.system.name;
  }

  /** The version that runs, once it has started. */
  get about(): string | undefined {
    return this.#about;
  }

  /** Starts the process, unless it runs already. */
  async start(): Promise<Refusal | undefined> {
    if (this.#child) return undefined;
    const python = this.system.open === 'python';
    const child = python
      ? spawn('python3', [file('../peers/torch_peer.py'), this.name, String(this.threads)], {
          env: { ...process.env, OMP_NUM_THREADS: String(this.threads) },
        })
      : spawn(process.execPath, [file('./child.ts'), this.backend, this.name, String(this.threads)], {
          env: { ...process.env, ...this.#env },
        });
    this.#child = child;
    this.#complaints = '';
    child.stderr?.on('data', (chunk) => {
      this.#complaints = `${this.#complaints}${chunk}`.slice(-400);
    });
    // A question to a process that has just died: its end is the answer.
    child.stdin?.on('error', () => undefined);
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('{')) this.#hear(JSON.parse(line));
    });
    const ended = (how: string) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      const last = this.#complaints.trim().split('\n').at(-1);
      this.#hear({ cannot: `its process ended (${how})${last ? `: ${last}` : ''}` });
    };
    child.on('error', (problem) => ended(problem.message));
    child.on('exit', (code, signal) => ended(String(signal ?? code)));
    const reply = await this.#answer<'open'>();
    if ('cannot' in reply) {
      this.stop();
      return reply;
    }
    this.#about = reply.about;
    return undefined;
  }

  async ask<K extends Request['ask']>(request: Extract<Request, { ask: K }>): Promise<Replies[K] | Refusal> {
    const refused = await this.start();
    if (refused) return refused;
    const answer = this.#answer<K>();
    this.#child?.stdin?.write(`${JSON.stringify(request)}\n`);
    return answer;
  }

  stop(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  #answer<K extends keyof Replies>(): Promise<Replies[K] | Refusal> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.stop();
        resolve({ cannot: `gave no answer within ${PATIENCE / 1000} s` });
      }, PATIENCE);
      this.#hear = (reply) => {
        clearTimeout(late);
        resolve(reply as Replies[K] | Refusal);
      };
    });
  }
}
