// The packages of this workspace, read from their manifests.
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Package {
  readonly name: string;
  /** Relative to the root, with slashes. */
  readonly dir: string;
  readonly manifest: Manifest;
}

export function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

export function workspacePackages(from = root): readonly Package[] {
  const folders = readFileSync(join(from, 'pnpm-workspace.yaml'), 'utf8').match(/(?<=^ {2}- ).+/gm) ?? [];
  const files = folders.map((folder) => `${folder}/package.json`);
  return globSync(files, { cwd: from })
    .map((file) => {
      const manifest = readJson<Manifest>(join(from, file));
      return { name: manifest.name, dir: posix.dirname(slashed(file)), manifest };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Import specifier -> source file, relative to the root, of everything that workspace packages export. */
export function sourceFiles(from = root): Readonly<Record<string, string>> {
  const entries = workspacePackages(from).flatMap(({ name, dir, manifest }) =>
    Object.entries(manifest.exports ?? {}).flatMap(([path, file]) =>
      typeof file === 'string' && file.endsWith('.ts')
        ? [[posix.join(name, path), posix.join(dir, file)]]
        : [],
    ),
  );
  return Object.fromEntries(entries);
}
