// The types that lie on the operand stack while code is written: what makes a slip fail where it was made.

import type { ValueType } from './types.ts';

/** An operand. While code is checked each is another, so that one used out of turn is noticed. */
class Pushed {
  readonly type: ValueType | undefined;
  constructor(type?: ValueType) {
    this.type = type;
  }
}

const UNCHECKED = new Pushed();

/** Whether something given to an instruction lies on the stack already. */
export const isPushed = (one: unknown): boolean => one instanceof Pushed;

const list = (types: readonly (ValueType | undefined)[]): string => types.join(', ') || 'nothing';
const typesOf = (operands: readonly Pushed[]) => operands.map(({ type }) => type);

export class OperandStack {
  readonly #checked: boolean;
  readonly #operands: Pushed[] = [];
  /** Behind a branch anything may be taken. */
  #reachable = true;

  constructor(checked: boolean) {
    this.#checked = checked;
  }

  push(type: ValueType | undefined): Pushed {
    if (!this.#checked || !type) return UNCHECKED;
    const pushed = new Pushed(type);
    this.#operands.push(pushed);
    return pushed;
  }

  /** Takes what an instruction was given. @throws Error for other types, or another order. */
  take(name: string, types: readonly ValueType[], given: readonly unknown[]): void {
    if (!this.#checked || !this.#reachable) return;
    const found = this.#operands.splice(Math.max(0, this.#operands.length - types.length));
    if (given.length !== types.length || list(typesOf(found)) !== list(types)) {
      throw new Error(`${name}: expected ${list(types)} on the stack, got ${list(typesOf(found))}.`);
    }
    if (given.some((one, i) => isPushed(one) && one !== found[i])) {
      throw new Error(`${name}: its operands lie on the stack in another order than they are given.`);
    }
  }

  drop(operand: unknown): void {
    if (!this.#checked || !this.#reachable) return;
    if (this.#operands.pop() !== operand) throw new Error('drop: expected the operand on top of the stack.');
  }

  /** What follows is not reached, up to the end of the block. */
  leave(): void {
    this.#reachable = false;
  }

  /** A block, which leaves the stack as it found it. */
  within(write: () => void): void {
    const height = this.#operands.length;
    write();
    if (this.#reachable && this.#operands.length !== height) {
      throw new Error(`end of block: ${this.#operands.length - height} operands are left over.`);
    }
    this.#operands.length = height;
    this.#reachable = true;
  }

  /** The end of a function. */
  end(leaves: ValueType | undefined): void {
    if (!this.#checked || !this.#reachable) return;
    if (list(typesOf(this.#operands)) !== list(leaves ? [leaves] : [])) {
      throw new Error(
        `end of function: expected ${leaves ?? 'nothing'} on the stack, got ${list(typesOf(this.#operands))}.`,
      );
    }
  }
}
