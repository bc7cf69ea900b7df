// A folder of cases on disk.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, ConformanceDataError, parseIndex } from './case.ts';
import type { Files } from './decode.ts';

export interface Folder {
  readonly cases: readonly Case[];
  readonly files: Files;
}

/** Reads `index.json`; the files with the numbers are read when they are first asked for. */
export function openFolder(path: string): Folder {
  const index = join(path, 'index.json');
  const cases = parseIndex(new TextDecoder().decode(bytesOf(index)), index);
  const known = new Map<string, Uint8Array<ArrayBuffer>>();
  const files: Files = (name) => {
    const bytes = known.get(name) ?? bytesOf(join(path, name));
    known.set(name, bytes);
    return bytes;
  };
  return { cases, files };
}

function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (problem) {
    throw new ConformanceDataError(`cannot read ${path}: ${(problem as Error).message}`);
  }
}
