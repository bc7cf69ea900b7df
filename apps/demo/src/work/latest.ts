// Latest wins: one question is being answered, at most one waits, and a newer one takes the place of the one that waits.

export interface Queue<Q> {
  readonly ask: (question: Q) => void;
  /** The question that was sent last has been answered. */
  readonly answered: () => void;
}

export function latestWins<Q>(send: (question: Q) => void): Queue<Q> {
  let busy = false;
  let waiting: { readonly question: Q } | null = null;
  return {
    ask(question) {
      if (busy) {
        waiting = { question };
        return;
      }
      busy = true;
      send(question);
    },
    answered() {
      const next = waiting;
      waiting = null;
      busy = next !== null;
      if (next) send(next.question);
    },
  };
}
