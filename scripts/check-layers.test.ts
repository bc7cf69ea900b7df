import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkLayers, importsOf } from './check-layers.ts';

const levels = [['low'], ['left', 'right']];
const folders: string[] = [];

/** A workspace of packages, each with one source file. */
function workspace(packages: Record<string, { source: string; dependencies?: string[]; file?: string }>) {
  const folder = mkdtempSync(join(tmpdir(), 'heed-layers-'));
  folders.push(folder);
  const write = (file: string, text: string) => {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  for (const [name, { source, dependencies = [], file = 'src/index.ts' }] of Object.entries(packages)) {
    const declared = Object.fromEntries(dependencies.map((dependency) => [dependency, 'workspace:^']));
    write(`packages/${name}/package.json`, JSON.stringify({ name, dependencies: declared }));
    write(`packages/${name}/${file}`, source);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('checkLayers', () => {
  const low = { source: 'export {};' };

  it('allows a declared import from below', () => {
    const folder = workspace({ low, left: { source: `import { a } from 'low';`, dependencies: ['low'] } });
    expect(checkLayers(folder, levels)).toEqual([]);
  });

  it('refuses an import from the same level', () => {
    const folder = workspace({
      low,
      left: { source: `import type { a } from 'right';`, dependencies: ['right'] },
      right: { source: 'export {};' },
    });
    expect(checkLayers(folder, levels)).toEqual([
      'packages/left/package.json: left (level 1) imports right (level 1), which is not below it.',
      'packages/left/src/index.ts: left (level 1) imports right (level 1), which is not below it.',
    ]);
  });

  it('refuses an import from above', () => {
    const folder = workspace({ low: { source: `export * from 'left';`, dependencies: ['left'] }, left: low });
    expect(checkLayers(folder, levels)).toHaveLength(2);
  });

  it('refuses an import that is not declared, also by a path into the other package', () => {
    const folder = workspace({
      low,
      left: { source: `import 'low';\nexport * from '../../low/src/index.ts';` },
    });
    expect(checkLayers(folder, levels)).toEqual([
      'packages/left/src/index.ts: "low" is imported but not declared. Add it to packages/left/package.json.',
      'packages/left/src/index.ts: "../../low/src/index.ts" leaves the package. Import the other package by its name.',
    ]);
  });

  it('says where to add a package that has no level', () => {
    expect(checkLayers(workspace({ stranger: low }), levels)).toEqual([
      'packages/stranger: "stranger" has no level. Give it one in scripts/check-layers.ts.',
    ]);
  });

  it('lets tests and their fixtures import anything', () => {
    for (const file of ['src/a.test.ts', 'src/a.fixture.ts', 'src/fixture.ts']) {
      expect(checkLayers(workspace({ low: { source: `import 'left';`, file }, left: low }), levels)).toEqual(
        [],
      );
    }
  });
});

describe('importsOf', () => {
  it('sees every form of import', () => {
    const source = `
      import a, { type B } from 'one';
      import {
        c,
      } from 'two';
      import 'three';
      export * as d from 'four';
      export type { E } from 'five';
      const six = await import('six');
    `;
    expect(importsOf(source)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  it('does not see an example in a comment', () => {
    expect(
      importsOf(
        `/**\n * import { a } from 'one';\n */\n// await import('two');\nexport const from = 'three';`,
      ),
    ).toEqual([]);
  });
});
