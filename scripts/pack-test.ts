// Installs every packed package into an empty folder with npm, as a stranger would, and uses it from there:
// imported as an ES module and required as CommonJS by Node, and type-checked both ways.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { publicPackages, tarballs } from './pack.ts';
import { root } from './workspace.ts';

const shell = process.platform === 'win32';
const folder = mkdtempSync(join(tmpdir(), 'heed-pack-test-'));
const run = (command: string, args: readonly string[]) =>
  execFileSync(command, args, { cwd: folder, stdio: 'inherit', shell });
const write = (file: string, lines: readonly string[]) =>
  writeFileSync(join(folder, file), `${lines.join('\n')}\n`);

const entries = publicPackages.flatMap(({ name, manifest }) =>
  Object.keys(manifest.exports ?? {})
    .filter((path) => !path.endsWith('.json'))
    .map((path) => posix.join(name, path)),
);
const loaded = (load: (entry: string) => string) =>
  entries.map(
    (entry) => `if (typeof ${load(entry)} !== 'object') throw new Error('${entry} is not a module');`,
  );

try {
  write('package.json', ['{ "private": true }']);
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...tarballs()]);

  write(
    'esm.mjs',
    loaded((entry) => `await import('${entry}')`),
  );
  write(
    'cjs.cjs',
    loaded((entry) => `require('${entry}')`),
  );
  const types = entries.map((entry, at) => `import * as entry${at} from '${entry}';\nvoid entry${at};`);
  write('types.mts', types);
  write('types.cts', types);

  // Node 20 is promised: when the checks were started by an older Node than the tools need, it has its say too.
  for (const node of new Set([process.execPath, process.env.HEED_CALLER_NODE ?? process.execPath])) {
    run(node, ['esm.mjs']);
    run(node, ['cjs.cjs']);
    console.log(
      `${entries.length} entries load in ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`,
    );
  }
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2024,esnext.disposable',
  ];
  run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...options,
    '--types',
    '',
    'types.mts',
    'types.cts',
  ]);
  console.log(`${entries.length} entries have types, imported and required`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
