// The session: what is chosen, what came back, and what the visitor has to be told. One of it for the page.

import type { Settings } from 'weather';
import { latestWins } from '../work/latest.ts';
import type { Answer, Question, Refusal, Reply, Sweep } from '../work/protocol.ts';
import { linkOf, readLink } from './link.ts';

export class Session {
  settings = $state.raw<Settings>() as Settings;
  /** The step that is looked at. */
  step = $state(0);
  /** The last answer: it stays while a newer one is computed, or refused. */
  answer = $state.raw<Answer | null>(null);
  refusal = $state.raw<Refusal | null>(null);
  sweep = $state.raw<Sweep | null>(null);
  /** The settings in which the last answer differs from the one before. */
  changed = $state.raw<readonly (keyof Settings)[]>([]);
  /** What the link said that was not understood. */
  ignored = $state.raw<readonly string[]>([]);
  /** The worker itself failed: nothing more will come. */
  broken = $state<string | null>(null);

  readonly #worker = new Worker(new URL('../work/worker.ts', import.meta.url), { type: 'module' });
  readonly #queue = latestWins<Question>((question) => this.#worker.postMessage(question));
  #linkTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    this.#worker.onerror = ({ message }) => {
      this.broken = message || 'The worker could not be started.';
    };
    this.open(location.hash);
    addEventListener('hashchange', () => {
      if (location.hash !== this.link) this.open(location.hash);
    });
  }

  get link(): string {
    return linkOf({ settings: this.settings, step: this.step });
  }

  /** Takes everything from a link. */
  open(fragment: string): void {
    const { view, ignored } = readLink(fragment);
    this.settings = view.settings;
    this.step = view.step;
    this.ignored = ignored;
    this.#queue.ask({ settings: this.settings });
  }

  change(some: Partial<Settings>): void {
    this.settings = { ...this.settings, ...some };
    this.#queue.ask({ settings: this.settings });
    this.#writeLink();
  }

  look(step: number): void {
    this.step = step;
    this.#writeLink();
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'sweep') {
      this.sweep = reply;
      return;
    }
    if (reply.kind === 'refusal') this.refusal = reply;
    else {
      this.refusal = null;
      this.changed = differences(this.answer?.settings, reply.settings);
      this.answer = reply;
      this.step = Math.min(this.step, reply.series.steps.length - 1);
    }
    this.#queue.answered();
  }

  /** Browsers refuse to write the address at every move of a slider. */
  #writeLink(): void {
    clearTimeout(this.#linkTimer);
    this.#linkTimer = setTimeout(
      () => history.replaceState(null, '', this.link || location.pathname + location.search),
      250,
    );
  }
}

const differences = (before: Settings | undefined, after: Settings): readonly (keyof Settings)[] =>
  before ? (Object.keys(after) as (keyof Settings)[]).filter((name) => before[name] !== after[name]) : [];
