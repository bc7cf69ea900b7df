// Things to do one after another: at once as a rule, and later while something is not finished.

interface Waiting {
  readonly go: () => void;
  readonly drop: ((error: Error) => void) | undefined;
}

export class Order {
  #waiting: Waiting[] = [];
  #held = false;

  /** Does it, when all before it is done. @param drop is called instead if it will never be done. */
  next(go: () => void, drop?: (error: Error) => void): void {
    if (this.#held) this.#waiting.push({ go, drop });
    else go();
  }

  get held(): boolean {
    return this.#held;
  }

  /** What was begun last is not finished: whatever comes next has to wait. */
  hold(): void {
    this.#held = true;
  }

  /** It is finished. */
  release(): void {
    this.#held = false;
    // One of them may not finish either.
    while (!this.#held && this.#waiting.length > 0) (this.#waiting.shift() as Waiting).go();
  }

  /** Nothing of it will be done. */
  drop(error: Error): void {
    const dropped = this.#waiting;
    this.#waiting = [];
    for (const { drop } of dropped) drop?.(error);
  }
}
