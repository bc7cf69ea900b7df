// The assembler: WebAssembly's binary format written by hand, for kernels whose instruction order is part of the design.

export { type Callee, Code, type Label } from './code.ts';
export type { MemoryInstruction, MemoryLaneInstruction, PlainInstruction } from './instructions.ts';
export { type MemoryType, Module } from './module.ts';
export { textOf } from './text.ts';
export type { Local } from './types.ts';
