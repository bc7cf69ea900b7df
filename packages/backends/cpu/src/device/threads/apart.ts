// The crew of a page's main thread, which must never block and does no work: a thread apart begins the jobs for it.

import type { Command, Reply } from './conductor.ts';
import type { Crew, Places } from './crew.ts';
import { SHARED_FROM } from './here.ts';
import { startThread, type Thread } from './host.ts';
import type { Failure, Job, Loaded } from './job.ts';
import { Team } from './team.ts';

/** After so many jobs it is asked how far the others are, so that what waits for their failures does not pile up. */
const MARK = 256;

type MakeApart = (memory: WebAssembly.Memory, places: Places, notes: readonly string[]) => Crew;

interface Listeners {
  reply(reply: Reply): void;
  ended(reason: string): void;
}

/**
 * Begins the thread apart, and waits until it is there.
 *
 * @throws with the reason where the host refuses it.
 */
export function startApart(threads: number): Promise<MakeApart> {
  return new Promise((resolve, reject) => {
    let to: Listeners = {
      reply: () =>
        resolve((memory, places, notes) => {
          const crew = new Apart(thread, threads, memory, places, notes);
          to = crew.listeners;
          return crew;
        }),
      ended: (reason) => reject(new Error(reason)),
    };
    const thread = startThread(
      { role: 'conductor' },
      { message: (data) => to.reply(data as Reply), ended: (reason) => to.ended(reason) },
    );
    // Until it is there someone waits for it; afterwards only those who read.
    thread.hold(true);
  });
}

interface Reader {
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
}

class Apart implements Crew {
  readonly threads: number;
  readonly #thread: Thread;
  readonly #team: Team;
  readonly #notes: readonly string[];
  /** By number: jobs that may still fail, and those who read. */
  readonly #jobs = new Map<number, (failure: Failure) => void>();
  readonly #readers = new Map<number, Reader>();
  #asked = 0;
  #loaded = 0;
  #lost: Error | undefined;

  constructor(
    thread: Thread,
    threads: number,
    memory: WebAssembly.Memory,
    places: Places,
    notes: readonly string[],
  ) {
    this.threads = threads;
    this.#notes = notes;
    this.#thread = thread;
    const lost = (part: number, reason: string): void => this.#say({ do: 'lose', part, reason });
    this.#team = new Team({ memory, threads, lost });
    this.#say({ do: 'begin', memory, places, words: this.#team.words, threads });
    thread.hold(false);
  }

  get listeners(): Listeners {
    return { reply: (reply) => this.#hear(reply), ended: (reason) => this.#ended(reason) };
  }

  get notes(): readonly string[] {
    const lost = this.#lost ? [this.#lost.message] : [];
    const apart = 'none of them this one, which must not block';
    return [...this.#notes, apart, ...this.#team.notes, ...lost];
  }

  load(bytes: Uint8Array<ArrayBuffer>, place: (bytes: number) => number): Loaded {
    const code = place(bytes.length);
    this.write(code, bytes);
    return { id: ++this.#loaded, code, length: bytes.length };
  }

  write(address: number, bytes: Uint8Array): void {
    // Sent as a copy of these bytes alone, not of all that their buffer holds.
    this.#say({ do: 'write', address, bytes: bytes.slice() });
  }

  fill(address: number, bytes: number, value: number): void {
    this.#say({ do: 'fill', address, bytes, value });
  }

  run(job: Job, failed: (failure: Failure) => void): void {
    if (job.units * job.weight >= SHARED_FROM) this.#team.start();
    const id = ++this.#asked;
    this.#jobs.set(id, failed);
    this.#say({ do: 'run', id, job });
    if (id % MARK === 0) this.read(0, 0).catch(() => {});
  }

  read(address: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const id = ++this.#asked;
      this.#readers.set(id, { resolve, reject });
      this.#thread.hold(true);
      this.#say({ do: 'read', id, address, bytes });
    });
  }

  async close(reason: Error): Promise<void> {
    this.#drop(reason);
    await Promise.all([this.#thread.end(), this.#team.close()]);
  }

  #say(command: Command): void {
    if (!this.#lost) this.#thread.post(command);
  }

  #hear(reply: Reply): void {
    if (reply.of === 'failed') this.#jobs.get(reply.id)?.(reply.failure);
    if (reply.of !== 'read') return;
    // Replies come in order: jobs before this one are done.
    for (const id of this.#jobs.keys()) {
      if (id > reply.id) break;
      this.#jobs.delete(id);
    }
    this.#readers.get(reply.id)?.resolve(reply.bytes);
    this.#readers.delete(reply.id);
    if (this.#readers.size === 0) this.#thread.hold(false);
  }

  /** Nobody knows how far it came: what the memory holds is worth nothing. */
  #ended(reason: string): void {
    if (this.#lost) return;
    this.#drop(new Error(`the thread that does the work has ended (${reason}); open the backend again`));
  }

  #drop(reason: Error): void {
    this.#lost = reason;
    for (const { reject } of this.#readers.values()) reject(reason);
    this.#readers.clear();
    this.#jobs.clear();
  }
}
