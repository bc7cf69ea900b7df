// A thread that begins the jobs for a page, whose own thread must never block. It does what messages say, in their order.

import { compilePlain } from './compile.ts';
import type { Places } from './crew.ts';
import { Here } from './here.ts';
import type { Failure, Job } from './job.ts';
import type { Words } from './protocol.ts';

/** What a page says to the thread, one after another. */
export type Command =
  | {
      readonly do: 'begin';
      readonly memory: WebAssembly.Memory;
      readonly places: Places;
      /** Those who help, whom the page began: a thread that blocks cannot. */
      readonly words: Words;
      readonly threads: number;
    }
  | { readonly do: 'write'; readonly address: number; readonly bytes: Uint8Array }
  | { readonly do: 'fill'; readonly address: number; readonly bytes: number; readonly value: number }
  | { readonly do: 'run'; readonly id: number; readonly job: Job }
  | { readonly do: 'read'; readonly id: number; readonly address: number; readonly bytes: number }
  /** A helper has died over a part. This one is not a thing to do, and does not wait for others. */
  | { readonly do: 'lose'; readonly part: number; readonly reason: string };

/** What the thread says. */
export type Reply =
  | { readonly of: 'ready' }
  | { readonly of: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly of: 'read'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> };

/** @param reply sends a reply. */
export function conduct(reply: (reply: Reply) => void): (command: Command) => void {
  let here: Here | undefined;
  let lost: (part: number, reason: string) => void = () => {};
  const begin = ({ memory, places, words, threads }: Command & { do: 'begin' }): Here =>
    new Here({
      memory,
      places,
      compile: compilePlain,
      helpers:
        threads === 1
          ? null
          : (onLost) => {
              lost = onLost;
              return { words, threads, notes: [], start: () => {}, close: async () => {} };
            },
      notes: [],
    });
  reply({ of: 'ready' });
  return (command) => {
    if (command.do === 'begin') here = begin(command);
    else if (command.do === 'lose') lost(command.part, command.reason);
    else if (command.do === 'write') here?.write(command.address, command.bytes);
    else if (command.do === 'fill') here?.fill(command.address, command.bytes, command.value);
    else if (command.do === 'run') {
      const { id, job } = command;
      here?.run(job, (failure) => reply({ of: 'failed', id, failure }));
    } else {
      const { id, address } = command;
      void here?.read(address, command.bytes).then((bytes) => reply({ of: 'read', id, bytes }));
    }
  };
}
