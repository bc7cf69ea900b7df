// Packs every public package, as it would be published, into .packed/.
import { execFileSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, slashed, workspacePackages } from './workspace.ts';

const FOLDER = join(root, '.packed');

export const publicPackages = workspacePackages().filter(({ manifest }) => !manifest.private);

/** The packed packages, as absolute paths. */
export function tarballs(): readonly string[] {
  const files = globSync('*.tgz', { cwd: FOLDER }).sort();
  if (files.length !== publicPackages.length) {
    throw new Error(
      `.packed: expected ${publicPackages.length} packages, got ${files.length}. Run \`pnpm pack-all\`.`,
    );
  }
  return files.map((file) => slashed(join(FOLDER, file)));
}

if (import.meta.main) {
  rmSync(FOLDER, { recursive: true, force: true });
  const filters = publicPackages.flatMap(({ name }) => ['--filter', name]);
  execFileSync('pnpm', ['-r', ...filters, 'pack', '--pack-destination', FOLDER], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  console.log(`${tarballs().length} packages in .packed/`);
}
