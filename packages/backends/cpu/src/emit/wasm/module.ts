// A module: functions over one imported memory.

import { joined, name, unsigned } from './bytes.ts';
import { type Callee, Code } from './code.ts';
import { type Local, type ValueType, valueTypes } from './types.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** Numbers of the sections, which stand in this order (specification 5.5.2). */
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION = 0x60;
const KIND = { function: 0, memory: 2 } as const;

/** The memory that a module imports. Pages are 64 KiB; what is given must match in `shared`, and lie within the bounds. */
export interface MemoryType {
  readonly module: string;
  readonly name: string;
  readonly minimum: number;
  /** Must be given where the memory is shared. */
  readonly maximum?: number;
  readonly shared: boolean;
}

type Locals<T extends readonly ValueType[]> = { readonly [I in keyof T]: Local<T[I]> };

interface Defined extends Callee {
  readonly export: string | undefined;
  body: Uint8Array;
}

export interface ModuleOptions {
  /** Whether operands are checked while code is written: for tests and while kernels are being made. */
  readonly checked?: boolean;
}

export class Module {
  readonly #memory: MemoryType;
  readonly #functions: Defined[] = [];
  readonly #checked: boolean;

  constructor(memory: MemoryType, { checked = false }: ModuleOptions = {}) {
    this.#memory = memory;
    this.#checked = checked;
  }

  /**
   * Adds a function, exported if it has a name. While its body is being written others may be added.
   *
   * @throws Error, if checked, for a body that does not fit its operands.
   */
  function<const T extends readonly ValueType[]>(
    exported: string | undefined,
    takes: T,
    leaves: ValueType | undefined,
    write: (code: Code, ...params: Locals<T>) => void,
  ): Callee {
    const made: Defined = {
      index: this.#functions.length,
      takes,
      leaves,
      export: exported,
      body: new Uint8Array(),
    };
    this.#functions.push(made);
    const code = new Code(takes, this.#checked);
    write(code, ...(takes.map((type, index) => ({ index, type })) as unknown as Locals<T>));
    made.body = code.finish(leaves);
    return made;
  }

  /** The module in the binary format. */
  bytes(): Uint8Array<ArrayBuffer> {
    const all: (readonly number[] | Uint8Array)[] = [HEADER];
    const section = (id: number, items: readonly (readonly number[] | Uint8Array)[]): void => {
      const content = joined([sized(items.length), ...items]);
      all.push([id], sized(content.length), content);
    };
    const functions = this.#functions;
    section(SECTION.type, functions.map(typeBytes));
    section(SECTION.import, [importBytes(this.#memory)]);
    section(
      SECTION.function,
      functions.map(({ index }) => sized(index)),
    );
    section(
      SECTION.export,
      functions.flatMap(({ index, export: exported }) => {
        if (exported === undefined) return [];
        const bytes: number[] = [];
        name(bytes, exported);
        bytes.push(KIND.function);
        unsigned(bytes, index);
        return [bytes];
      }),
    );
    section(
      SECTION.code,
      functions.map(({ body }) => joined([sized(body.length), body])),
    );
    return joined(all);
  }
}

function sized(value: number): number[] {
  const bytes: number[] = [];
  unsigned(bytes, value);
  return bytes;
}

const typeBytes = ({ takes, leaves }: Callee): number[] => [
  FUNCTION,
  ...sized(takes.length),
  ...takes.map((type) => valueTypes[type]),
  ...(leaves ? [1, valueTypes[leaves]] : [0]),
];

function importBytes({ module, name: field, minimum, maximum, shared }: MemoryType): number[] {
  const bytes: number[] = [];
  name(bytes, module);
  name(bytes, field);
  bytes.push(KIND.memory, (maximum === undefined ? 0 : 1) | (shared ? 2 : 0));
  unsigned(bytes, minimum);
  if (maximum !== undefined) unsigned(bytes, maximum);
  return bytes;
}
