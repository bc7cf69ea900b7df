// The TypeScript examples of the documentation, written out as files so that they are type-checked and run.
//   ```ts          run; what it logs must equal the ```text block that follows directly, if there is one
//   ```ts no-run: needs a browser          type-checked only; the reason is required
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, slashed } from './workspace.ts';

const DOCUMENTS = ['{README,ARCHITECTURE,CONTRIBUTING}.md', '{packages,examples}/**/README.md'];
const FOLDER = '.readme';

export interface Example {
  /** Relative to the root. */
  readonly document: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly code: string;
  /** What it must print. */
  readonly output?: string;
  /** Why it is not run. */
  readonly noRun?: string;
}

export function examplesOf(document: string, text: string): readonly Example[] {
  const lines = text.split(/\r?\n/);
  const blocks = fencedBlocks(document, lines);
  return blocks.flatMap(({ info, start, end }, at) => {
    const [, flag] = info.match(/^ts\b *(.*)$/) ?? [];
    if (flag === undefined) return [];
    const noRun = flag.match(/^no-run: *(\S.*)$/)?.[1];
    if (flag !== '' && noRun === undefined) {
      throw new Error(`${document}:${start + 1}: expected "ts" or "ts no-run: <reason>", got "${info}".`);
    }
    const code = lines.slice(start + 1, end).join('\n');
    const next = blocks[at + 1];
    const adjacent =
      next !== undefined && lines.slice(end + 1, next.start).every((line) => line.trim() === '');
    const output =
      adjacent && /^(text|console)$/.test(next.info)
        ? { output: lines.slice(next.start + 1, next.end).join('\n') }
        : {};
    return [{ document, line: start + 1, code, ...output, ...(noRun === undefined ? {} : { noRun }) }];
  });
}

function fencedBlocks(document: string, lines: readonly string[]) {
  const blocks: { info: string; start: number; end: number }[] = [];
  for (let start = 0; start < lines.length; start++) {
    const [, fence, info] = lines[start]?.match(/^(`{3,})(.*)$/) ?? [];
    if (fence === undefined || info === undefined) continue;
    const end = lines.indexOf(fence, start + 1);
    if (end < 0) throw new Error(`${document}:${start + 1}: this code block is never closed.`);
    blocks.push({ info: info.trim(), start, end });
    start = end;
  }
  return blocks;
}

/** The module made of an example, relative to the root. */
export function fileOf({ document, line }: Example): string {
  return `${FOLDER}/${document}.${line}.ts`;
}

/** Writes each example as a module whose line numbers are those of its document. A file that is right is not touched. */
export function writeExamples(from = root): readonly Example[] {
  const examples = globSync(DOCUMENTS, { cwd: from, exclude: ['**/node_modules'] })
    .map(slashed)
    .sort()
    .flatMap((document) => examplesOf(document, readFileSync(join(from, document), 'utf8')));
  const modules = new Map(
    examples.map((example) => [fileOf(example), `${'\n'.repeat(example.line)}${example.code}\nexport {};\n`]),
  );
  for (const old of globSync(`${FOLDER}/**/*.ts`, { cwd: from })) {
    if (!modules.has(slashed(old))) rmSync(join(from, old));
  }
  for (const [file, text] of modules) {
    const path = join(from, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return examples;
}

if (import.meta.main) writeExamples();
