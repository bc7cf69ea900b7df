// Runs a script of the root package.json on a machine that may have nothing but some Node >= 20 and npm:
//   node scripts/run.mjs <script> [arguments]
// The tools need a recent Node and the pinned pnpm. Where they are missing, both are fetched from npm into
// .cache/toolchain, used from there, and nothing is installed elsewhere.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const NODE = readFileSync(join(root, '.node-version'), 'utf8').trim();
const PNPM = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];
const folder = join(root, '.cache', 'toolchain');
const bin = join(folder, 'node_modules', '.bin');
const shell = process.platform === 'win32';
const env = {
  ...process.env,
  HEED_CALLER_NODE: process.execPath,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  npm_config_update_notifier: 'false',
};

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit', shell });
  return status ?? 1;
}
function runOrExit(command, args) {
  const status = run(command, args);
  if (status === 0) return;
  console.error(`${command} ${args.join(' ')} failed`);
  process.exit(status);
}
function has(command, wanted) {
  const { status, stdout } = spawnSync(command, ['--version'], { env, encoding: 'utf8', shell });
  return status === 0 && wanted(stdout.trim());
}
// Sources are run directly, and they say `using`: Node 24 is the first that knows both.
const recent = (version) => Number(version.match(/\d+/)?.[0]) >= 24;

if (existsSync(bin)) env.PATH = bin + delimiter + env.PATH;
const missing = [
  ...(has('node', recent) ? [] : [`node-${shell ? 'win' : process.platform}-${process.arch}@${NODE}`]),
  ...(has('pnpm', (version) => version === PNPM) ? [] : [`pnpm@${PNPM}`]),
];
if (missing.length > 0) {
  console.log(`Fetching ${missing.join(' and ')} into .cache/toolchain ...`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'package.json')))
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  runOrExit('npm', [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...missing,
  ]);
  if (!env.PATH.startsWith(bin)) env.PATH = bin + delimiter + env.PATH;
}

const [script = 'test', ...args] = process.argv.slice(2);
runOrExit('pnpm', ['install', '--frozen-lockfile', '--silent']);
if (script === 'test') process.exitCode = run('pnpm', ['--silent', 'run', 'check', ...args]);
else if (script === 'start') {
  runOrExit('pnpm', ['exec', 'turbo', 'run', 'build', '--filter=demo', '--output-logs=errors-only']);
  process.exitCode = run('pnpm', ['--silent', '--filter', 'demo', 'run', 'preview', ...args]);
} else process.exitCode = run('pnpm', ['--silent', 'run', script, ...args]);
