// The threads of the host: node:worker_threads, or the workers of a browser. One face for both.

import type { Start } from './worker.ts';
import { source } from './worker-source.ts';

/** A thread as its owner sees it. */
export interface Thread {
  post(message: unknown): void;
  /** Whether the process stays alive for its sake. Browsers do not ask. */
  hold(on: boolean): void;
  /** Ends it, wherever it is. */
  end(): Promise<void>;
}

export interface ThreadEvents {
  message(data: unknown): void;
  /** It has ended, or never began. In Node also when its owner ended it. */
  ended(reason: string): void;
}

/** What is used of Node's Worker. */
interface NodeWorker {
  on(event: 'message', listener: (data: unknown) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}
interface NodeBuiltins {
  'node:worker_threads': {
    Worker: new (
      source: string,
      options: { readonly eval: true; readonly execArgv: readonly string[]; readonly name: string },
    ) => NodeWorker;
  };
  'node:os': { availableParallelism(): number };
  'node:v8': { setFlagsFromString(flags: string): void };
}
/** What is used of a browser's Worker. */
interface WebWorker {
  onmessage: (event: { readonly data: unknown }) => void;
  onerror: (event: { readonly message?: string; preventDefault?(): void }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}
interface Host {
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly execArgv?: readonly string[];
    readonly env?: { readonly NODE_OPTIONS?: string };
    getBuiltinModule?<Name extends keyof NodeBuiltins>(name: Name): NodeBuiltins[Name];
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
  readonly Worker?: new (url: string, options: { readonly name: string }) => WebWorker;
  readonly Blob: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
}
export const host = globalThis as unknown as Host;

/** A module of Node, found without an import, which bundlers would warn about; undefined elsewhere. */
export function builtin<Name extends keyof NodeBuiltins>(name: Name): NodeBuiltins[Name] | undefined {
  return host.process?.versions?.node ? host.process.getBuiltinModule?.(name) : undefined;
}

/** Threads that one memory feeds; with more of them the last ones only wait for it. */
const MOST = 16;

/** How many threads the hardware runs at once, and the most that are worth it. */
export function defaultThreads(): number {
  const available = builtin('node:os')?.availableParallelism() ?? host.navigator?.hardwareConcurrency ?? 1;
  return Math.max(1, Math.min(MOST, available));
}

/** Why there can be no other threads here; null where there can. @param shared whether memory can be shared. */
export function whyOneThread(shared: boolean): string | null {
  if (host.crossOriginIsolated === false) {
    return (
      'this page is not cross-origin isolated: serve it with the headers Cross-Origin-Opener-Policy: same-origin and ' +
      'Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  if (!shared) return 'this engine shares no memory between threads';
  if (!builtin('node:worker_threads') && !host.Worker) return 'there are no workers here';
  return null;
}

/** Begins a thread and gives it its first message. @throws where the host forbids it at once. */
export function startThread(start: Start, events: ThreadEvents): Thread {
  const node = builtin('node:worker_threads');
  return node ? startInNode(new node.Worker(source, inNode), start, events) : startInPage(start, events);
}

/** Flags of the process (loaders, inspectors) are none of this thread's business, and slow its start. */
const inNode = { eval: true, execArgv: [], name: 'heed' } as const;

function startInNode(worker: NodeWorker, start: Start, events: ThreadEvents): Thread {
  let reason = 'it was terminated';
  worker.on('message', events.message);
  worker.on('error', (error) => {
    reason = error.message;
  });
  worker.on('exit', () => events.ended(reason));
  // After the listeners: adding one for messages would make the process wait for the thread again.
  worker.unref();
  worker.postMessage(start);
  return {
    post: (message) => worker.postMessage(message),
    hold: (on) => (on ? worker.ref() : worker.unref()),
    end: async () => {
      await worker.terminate();
    },
  };
}

function startInPage(start: Start, events: ThreadEvents): Thread {
  const Worker = host.Worker as NonNullable<Host['Worker']>;
  const url = host.URL.createObjectURL(new host.Blob([source], { type: 'text/javascript' }));
  let worker: WebWorker;
  try {
    worker = new Worker(url, { name: 'heed' });
  } catch (error) {
    host.URL.revokeObjectURL(url);
    throw error;
  }
  worker.onmessage = ({ data }) => {
    // The first word comes when the source has been read.
    host.URL.revokeObjectURL(url);
    events.message(data);
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    host.URL.revokeObjectURL(url);
    worker.terminate();
    events.ended(event.message || 'a content security policy must allow blob: in worker-src');
  };
  worker.postMessage(start);
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    end: async () => worker.terminate(),
  };
}
