import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publicPackages } from './pack.ts';
import { readJson, root, sourceFiles } from './workspace.ts';

describe('the workspace', () => {
  it('has every entry of every package in the paths of tsconfig.base.json', () => {
    const { compilerOptions } = readJson<{ compilerOptions: { paths: Record<string, string[]> } }>(
      join(root, 'tsconfig.base.json'),
    );
    const wanted = Object.entries(sourceFiles()).map(([name, file]) => [name, [`./${file}`]]);
    expect(compilerOptions.paths).toEqual(Object.fromEntries(wanted));
  });

  it('publishes all packages under one version', () => {
    expect(new Set(publicPackages.map(({ manifest }) => manifest.version)).size).toBe(1);
  });
});

describe.each(publicPackages)('the manifest of $name', ({ manifest }) => {
  it('has what every package has', () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/\.$/),
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      files: expect.arrayContaining(['dist']),
      publishConfig: { access: 'public' },
    });
  });

  it('publishes from dist what it exports from src', () => {
    const { exports: published } = manifest.publishConfig as { exports: Record<string, unknown> };
    expect(Object.keys(published)).toEqual(Object.keys(manifest.exports ?? {}));
    expect(JSON.stringify(published)).not.toContain('./src/');
  });
});
