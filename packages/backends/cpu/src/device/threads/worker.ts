// What a thread runs: its first message says as what. In Node and in browsers; bundled into worker-source.ts.

import { type Command, conduct, type Reply } from './conductor.ts';
import { type HelperStart, help } from './helper.ts';

/** The first message to a thread. */
export type Start = HelperStart | { readonly role: 'conductor' };

interface Port {
  on(event: 'message', listener: (data: never) => void): void;
  postMessage(message: unknown): void;
}
interface Scope {
  readonly process?: {
    readonly versions?: { readonly node?: string };
    getBuiltinModule?(name: 'node:worker_threads'): { readonly parentPort: Port };
  };
  onmessage: (event: { readonly data: never }) => void;
  postMessage(message: unknown): void;
}
const scope = globalThis as unknown as Scope;
const port = scope.process?.versions?.node
  ? scope.process.getBuiltinModule?.('node:worker_threads').parentPort
  : undefined;

const reply = (message: Reply): void => (port ?? scope).postMessage(message);
let obey: ((command: Command) => void) | undefined;
const hear = (message: Start | Command): void => {
  if (obey) obey(message as Command);
  else if ((message as Start).role === 'conductor') obey = conduct(reply);
  else {
    reply({ of: 'ready' });
    help(message as HelperStart);
  }
};
if (port) port.on('message', hear);
else scope.onmessage = ({ data }) => hear(data);
