// Modules as text, for people: the instructions of every function, one a line, indented by their blocks.

import { lane, memory, memoryLane, plain } from './instructions.ts';

type Kind =
  | 'plain'
  | 'memory'
  | 'lane'
  | 'memoryLane'
  | 'index'
  | 'block'
  | 'end'
  | 'integer'
  | 'f32'
  | 'f64'
  | 'bytes'
  | 'skip';

/** Instructions that no table has, and how their immediates are read. */
const others: Readonly<Record<number, readonly [name: string, kind: Kind, bytes?: number]>> = {
  2: ['block', 'block'],
  3: ['loop', 'block'],
  4: ['if', 'block'],
  5: ['else', 'end'],
  11: ['end', 'end'],
  12: ['br', 'index'],
  13: ['br_if', 'index'],
  15: ['return', 'plain'],
  16: ['call', 'index'],
  26: ['drop', 'plain'],
  27: ['select', 'plain'],
  32: ['local.get', 'index'],
  33: ['local.set', 'index'],
  34: ['local.tee', 'index'],
  65: ['i32.const', 'integer'],
  66: ['i64.const', 'integer'],
  67: ['f32.const', 'f32'],
  68: ['f64.const', 'f64'],
  16580620: ['v128.const', 'bytes', 16],
  16580621: ['i8x16.shuffle', 'bytes', 16],
  16515082: ['memory.copy', 'skip', 2],
  16515083: ['memory.fill', 'skip', 1],
  16646147: ['atomic.fence', 'skip', 1],
};

class Reader {
  at = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#bytes[this.at++] as number;
  }

  unsigned(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  signed(): bigint {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << shift) : value;
    }
  }

  float(width: 4 | 8): number {
    const value = width === 4 ? this.#view.getFloat32(this.at, true) : this.#view.getFloat64(this.at, true);
    this.at += width;
    return value;
  }
}

/** The functions of a module that this assembler wrote. */
export function textOf(bytes: Uint8Array<ArrayBuffer>): string {
  const names = new Map<number, readonly [name: string, kind: Kind, bytes?: number]>(
    Object.entries(others).map(([code, entry]) => [Number(code), entry]),
  );
  for (const [kind, table] of Object.entries({ plain, memory, lane, memoryLane }))
    for (const [name, [code]] of Object.entries(table)) names.set(code, [name, kind as Kind]);
  const reader = new Reader(bytes);
  reader.at = 8;
  const lines: string[] = [];
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const end = reader.unsigned() + reader.at;
    if (section === 10)
      for (let i = 0, count = reader.unsigned(); i < count; i++) functionLines(reader, i, names, lines);
    reader.at = end;
  }
  return lines.join('\n');
}

function functionLines(
  reader: Reader,
  index: number,
  names: ReadonlyMap<number, readonly [string, Kind, number?]>,
  lines: string[],
): void {
  const end = reader.unsigned() + reader.at;
  const groups = reader.unsigned();
  let locals = 0;
  for (let i = 0; i < groups; i++) {
    locals += reader.unsigned();
    reader.byte();
  }
  lines.push(`function ${index}, ${locals} locals`);
  let depth = 1;
  while (reader.at < end) {
    const first = reader.byte();
    const code = first >= 0xfc ? (first << 16) | reader.unsigned() : first;
    const [name, kind, size = 0] = names.get(code) ?? [`0x${code.toString(16)}`, 'plain'];
    if (kind === 'end') depth--;
    lines.push(`${'  '.repeat(Math.max(depth, 0))}${name}${immediates(reader, kind, size)}`);
    if (kind === 'block' || name === 'else') depth++;
  }
}

function immediates(reader: Reader, kind: Kind, size: number): string {
  const memarg = (): string => {
    reader.unsigned();
    const offset = reader.unsigned();
    return offset === 0 ? '' : ` offset=${offset}`;
  };
  const list = (): string[] => Array.from({ length: size }, () => String(reader.byte()));
  switch (kind) {
    case 'plain':
    case 'end':
      return '';
    case 'memory':
      return memarg();
    case 'memoryLane':
      return `${memarg()} ${reader.byte()}`;
    case 'lane':
      return ` ${reader.byte()}`;
    case 'index':
      return ` ${reader.unsigned()}`;
    case 'integer':
      return ` ${reader.signed()}`;
    case 'f32':
      return ` ${reader.float(4)}`;
    case 'f64':
      return ` ${reader.float(8)}`;
    case 'bytes':
      return ` ${list().join(' ')}`;
    case 'block':
      reader.byte();
      return '';
    case 'skip':
      list();
      return '';
  }
}
