// The body of a function, written one instruction after the other in exactly the order of the calls.
//
//   code.set(y, code.op('f32x4.add', code.op('f32x4.mul', a, b), y));
//
// JavaScript evaluates arguments before the call, so operands come before the operator and the text reads as a formula.

import { float, joined, opcode, signed, signed64, unsigned } from './bytes.ts';
import {
  alignments,
  type LaneInstruction,
  lane,
  type MemoryInstruction,
  type MemoryLaneInstruction,
  memory,
  memoryLane,
  type PlainInstruction,
  plain,
  type SignatureOf,
} from './instructions.ts';
import { isPushed, OperandStack } from './stack.ts';
import {
  type Given,
  type Leaves,
  type Local,
  type Operand,
  type Takes,
  typesOf,
  type ValueType,
  valueTypes,
} from './types.ts';

const VOID = 0x40;

/** A place to branch to: the end of a block, or the beginning of a loop. */
export interface Label {
  readonly depth: number;
}

/** A function that can be called. */
export interface Callee {
  readonly index: number;
  readonly takes: readonly ValueType[];
  readonly leaves: ValueType | undefined;
}

export class Code {
  readonly #bytes: number[] = [];
  readonly #params: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #stack: OperandStack;
  #depth = 0;

  /** @param checked whether each instruction is checked against the types on the stack. */
  constructor(params: readonly ValueType[], checked: boolean) {
    this.#params = params;
    this.#stack = new OperandStack(checked);
  }

  /** A new variable, zero at the beginning of the function. */
  local<T extends ValueType>(type: T): Local<T> {
    this.#locals.push(type);
    return { index: this.#params.length + this.#locals.length - 1, type };
  }

  /** A new variable that holds the value. */
  let<T extends ValueType>(type: T, value: Given<T>): Local<T> {
    const made = this.local(type);
    this.set(made, value);
    return made;
  }

  get<T extends ValueType>(from: Local<T>): Operand<T> {
    this.#bytes.push(0x20);
    unsigned(this.#bytes, from.index);
    return this.#push(from.type);
  }

  set<T extends ValueType>(to: Local<T>, value: Given<T>): void {
    this.#give('local.set', [to.type], [value]);
    this.#bytes.push(0x21);
    unsigned(this.#bytes, to.index);
  }

  tee<T extends ValueType>(to: Local<T>, value: Given<T>): Operand<T> {
    this.#give('local.tee', [to.type], [value]);
    this.#bytes.push(0x22);
    unsigned(this.#bytes, to.index);
    return this.#push(to.type);
  }

  i32(value: number): Operand<'i32'> {
    this.#bytes.push(0x41);
    signed(this.#bytes, value);
    return this.#push('i32');
  }

  i64(value: bigint): Operand<'i64'> {
    this.#bytes.push(0x42);
    signed64(this.#bytes, value);
    return this.#push('i64');
  }

  f32(value: number): Operand<'f32'> {
    this.#bytes.push(0x43);
    float(this.#bytes, value, 4);
    return this.#push('f32');
  }

  f64(value: number): Operand<'f64'> {
    this.#bytes.push(0x44);
    float(this.#bytes, value, 8);
    return this.#push('f64');
  }

  /** All bits zero. V8 makes it with one xor; any other v128 constant belongs in memory. */
  zero(): Operand<'v128'> {
    opcode(this.#bytes, 0xfd000c);
    for (let i = 0; i < 16; i++) this.#bytes.push(0);
    return this.#push('v128');
  }

  /** An instruction without immediates. */
  op<N extends PlainInstruction>(
    name: N,
    ...given: Takes<SignatureOf<typeof plain, N>>
  ): Leaves<SignatureOf<typeof plain, N>> {
    return this.#write(name, plain[name], given) as Leaves<SignatureOf<typeof plain, N>>;
  }

  /** A load: the bytes at address + offset. */
  load<N extends MemoryInstruction>(
    name: N,
    address: Given<'i32'>,
    offset = 0,
  ): Leaves<SignatureOf<typeof memory, N>> {
    return this.access(name, offset, ...([address] as unknown as Takes<SignatureOf<typeof memory, N>>));
  }

  /** Any instruction on memory, an atomic one too. */
  access<N extends MemoryInstruction>(
    name: N,
    offset: number,
    ...given: Takes<SignatureOf<typeof memory, N>>
  ): Leaves<SignatureOf<typeof memory, N>> {
    const left = this.#write(name, memory[name], given);
    this.#place(name, offset);
    return left as Leaves<SignatureOf<typeof memory, N>>;
  }

  lane<N extends LaneInstruction>(
    name: N,
    at: number,
    ...given: Takes<SignatureOf<typeof lane, N>>
  ): Leaves<SignatureOf<typeof lane, N>> {
    const left = this.#write(name, lane[name], given);
    this.#bytes.push(at);
    return left as Leaves<SignatureOf<typeof lane, N>>;
  }

  /** Moves one lane of a vector from or to memory. */
  memoryLane<N extends MemoryLaneInstruction>(
    name: N,
    offset: number,
    at: number,
    ...given: Takes<SignatureOf<typeof memoryLane, N>>
  ): Leaves<SignatureOf<typeof memoryLane, N>> {
    const left = this.#write(name, memoryLane[name], given);
    this.#place(name, offset);
    this.#bytes.push(at);
    return left as Leaves<SignatureOf<typeof memoryLane, N>>;
  }

  /** The vector of four 32-bit lanes chosen from the eight of a and b. */
  shuffle(
    lanes: readonly [number, number, number, number],
    a: Given<'v128'>,
    b: Given<'v128'>,
  ): Operand<'v128'> {
    const left = this.#write('i8x16.shuffle', [0xfd000d, 'vv:v'], [a, b]);
    for (const at of lanes) for (let byte = 0; byte < 4; byte++) this.#bytes.push(at * 4 + byte);
    return left as Operand<'v128'>;
  }

  /** `then` where the condition is not zero, else `otherwise`; both are computed. */
  select<T extends Exclude<ValueType, 'v128'>>(
    type: T,
    then: Given<T>,
    otherwise: Given<T>,
    condition: Given<'i32'>,
  ): Operand<T> {
    this.#give('select', [type, type, 'i32'], [then, otherwise, condition]);
    this.#bytes.push(0x1b);
    return this.#push(type);
  }

  /** Copies bytes; the ranges may overlap. */
  copy(to: Given<'i32'>, from: Given<'i32'>, bytes: Given<'i32'>): void {
    this.#write('memory.copy', [0xfc000a, 'iii:'], [to, from, bytes]);
    this.#bytes.push(0, 0);
  }

  /** Sets bytes to the value's lowest byte. */
  fill(to: Given<'i32'>, value: Given<'i32'>, bytes: Given<'i32'>): void {
    this.#write('memory.fill', [0xfc000b, 'iii:'], [to, value, bytes]);
    this.#bytes.push(0);
  }

  /** Orders all atomic accesses before it with those after it. */
  fence(): void {
    opcode(this.#bytes, 0xfe0003);
    this.#bytes.push(0);
  }

  drop(value: Operand): void {
    this.#stack.drop(value);
    this.#bytes.push(0x1a);
  }

  call(callee: Callee, ...given: readonly Given<ValueType>[]): Operand<never> {
    this.#give('call', callee.takes, given);
    this.#bytes.push(0x10);
    unsigned(this.#bytes, callee.index);
    return this.#push(callee.leaves);
  }

  /** Instructions whose label is their end. */
  block(body: (end: Label) => void): void {
    this.#bytes.push(0x02, VOID);
    this.#nest(body);
  }

  /** Instructions whose label is their beginning: they run again where they branch to it. */
  loop(body: (again: Label) => void): void {
    this.#bytes.push(0x03, VOID);
    this.#nest(body);
  }

  if(condition: Given<'i32'>, then: () => void, otherwise?: () => void): void {
    this.#give('if', ['i32'], [condition]);
    this.#bytes.push(0x04, VOID);
    this.#enter(then);
    if (otherwise) {
      this.#bytes.push(0x05);
      this.#enter(otherwise);
    }
    this.#bytes.push(0x0b);
  }

  branch(to: Label): void {
    this.#bytes.push(0x0c);
    unsigned(this.#bytes, this.#depth - to.depth);
    this.#stack.leave();
  }

  branchIf(to: Label, condition: Given<'i32'>): void {
    this.#give('br_if', ['i32'], [condition]);
    this.#bytes.push(0x0d);
    unsigned(this.#bytes, this.#depth - to.depth);
  }

  return(): void {
    this.#bytes.push(0x0f);
    this.#stack.leave();
  }

  /** The body as the code section holds it, without its length. @throws Error for operands left over or missing. */
  finish(leaves: ValueType | undefined): Uint8Array {
    this.#stack.end(leaves);
    // Locals of one type that stand together are declared together.
    const groups: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    const declared: number[] = [];
    unsigned(declared, groups.length);
    for (const [count, type] of groups) {
      unsigned(declared, count);
      declared.push(valueTypes[type]);
    }
    return joined([declared, this.#bytes, [0x0b]]);
  }

  #write(name: string, instruction: readonly [number, string], given: readonly unknown[]): unknown {
    const { takes, leaves } = typesOf(instruction[1]);
    this.#give(name, takes, given);
    opcode(this.#bytes, instruction[0]);
    if (leaves) return this.#push(leaves);
  }

  #place(name: MemoryInstruction | MemoryLaneInstruction, offset: number): void {
    this.#bytes.push(alignments[name] ?? 2);
    unsigned(this.#bytes, offset);
  }

  #push(type: ValueType | undefined): Operand<never> {
    return this.#stack.push(type) as unknown as Operand<never>;
  }

  /** Pushes what is not on the stack yet, then takes all of it. */
  #give(name: string, types: readonly ValueType[], given: readonly unknown[]): void {
    let leaves = 0;
    for (let i = 0; i < given.length; i++) {
      const one = given[i];
      if (isPushed(one)) {
        if (leaves > 0)
          throw new Error(
            `${name}: operand ${i} lies on the stack already and cannot follow a local or literal.`,
          );
        continue;
      }
      leaves++;
      if (typeof one === 'number') this[types[i] as 'i32'](one);
      else if (typeof one === 'bigint') this.i64(one);
      else this.get(one as Local);
    }
    this.#stack.take(name, types, given);
  }

  #nest(body: (label: Label) => void): void {
    this.#enter(body);
    this.#bytes.push(0x0b);
  }

  #enter(body: (label: Label) => void): void {
    this.#depth++;
    this.#stack.within(() => body({ depth: this.#depth }));
    this.#depth--;
  }
}
