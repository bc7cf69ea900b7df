import { join } from 'node:path';
import { format } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { examplesOf, fileOf, writeExamples } from './readme.ts';
import { root } from './workspace.ts';

const fence = '```';

describe('examplesOf', () => {
  it('finds a block, its line and the output that follows it', () => {
    const text = `# A\n\n${fence}ts\nconsole.log(1);\n${fence}\n\n${fence}text\n1\n${fence}\n`;
    expect(examplesOf('A.md', text)).toEqual([
      { document: 'A.md', line: 3, code: 'console.log(1);', output: '1' },
    ]);
  });

  it('takes no output when there are words between the two blocks', () => {
    const text = `${fence}ts\n1;\n${fence}\nwords\n${fence}text\n1\n${fence}\n`;
    expect(examplesOf('A.md', text)[0]).not.toHaveProperty('output');
  });

  it('wants a reason for a block that is not run', () => {
    const block = (info: string) => `${fence}${info}\n1;\n${fence}\n`;
    expect(examplesOf('A.md', block('ts no-run: needs a browser'))[0]?.noRun).toBe('needs a browser');
    expect(() => examplesOf('A.md', block('ts no-run'))).toThrow(/A\.md:1: expected .* <reason>/);
  });
});

describe('an example of the documentation prints what it says', () => {
  const examples = writeExamples();

  it('has a file of its own', () => {
    expect(new Set(examples.map(fileOf)).size).toBe(examples.length);
  });

  for (const example of examples.filter(({ noRun }) => noRun === undefined)) {
    // Some open a GPU in software, whose shaders take seconds to compile.
    it(`${example.document}:${example.line}`, { timeout: 60_000 }, async () => {
      const lines: string[] = [];
      const log = vi.spyOn(console, 'log').mockImplementation((...args) => void lines.push(format(...args)));
      try {
        await import(/* @vite-ignore */ join(root, fileOf(example)));
      } finally {
        log.mockRestore();
      }
      if (example.output !== undefined) expect(lines.join('\n')).toBe(example.output);
    });
  }
});
