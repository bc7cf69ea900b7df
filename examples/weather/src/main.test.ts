import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { baselines } from './error.ts';

const folder = mkdtempSync(join(tmpdir(), 'weather-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = join(import.meta.dirname, 'main.ts');
const file = join(folder, 'pictures', 'weather.svg');

describe('node examples/weather/src/main.ts', () => {
  const printed = execFileSync(process.execPath, [main, '--svg', file], { cwd: folder, encoding: 'utf8' });

  /** The error in the line of the table that begins with these words. */
  const errorOf = (label: string): number => {
    const line = printed.split('\n').find((one) => one.startsWith(`${label} `));
    return Number(line?.match(/(\d+\.\d\d) °C/)?.[1]);
  };

  it('prints what the README shows', () => {
    const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8').replaceAll(
      '\r\n',
      '\n',
    );
    const shown = readme.match(/```text\n([\s\S]*?)\n```/)?.[1];
    expect(printed.slice(0, shown?.length)).toBe(shown);
  });

  it('beats every guess that needs no attention, by the attention that cross-validation chose', () => {
    const best = printed.match(/Best by cross-validation: (.*), [\d.]+ days/)?.[1];
    const error = errorOf(best ?? '');
    expect(error).toBeGreaterThan(0);
    for (const { label } of Object.values(baselines)) expect(error).toBeLessThan(errorOf(label));
  });

  it('writes a well-formed picture', () => {
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/,
    );
    expect(unbalanced(svg)).toEqual([]);
    expect(svg.match(/<circle /g)?.length).toBeGreaterThan(200);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it('names the cities that there are', () => {
    const run = () => execFileSync(process.execPath, [main, 'Oslo'], { encoding: 'utf8', stdio: 'pipe' });
    expect(run).toThrow('There is no record of Oslo. There are Seattle and New York.');
  });
});

/** Tags of a document that do not pair up, and text that holds a bare < or &. */
function unbalanced(xml: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const tag = /<(?:\?[^?]*\?|(\/)?([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/)?)>/g;
  for (const [, closing, name = '', , empty] of xml.matchAll(tag)) {
    if (name === '' || empty) continue;
    if (!closing) open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  const bare = xml.replace(tag, '').match(/<|&(?!(?:amp|lt|gt|quot|apos|#\w+);)/g) ?? [];
  return [...wrong, ...open, ...bare];
}
