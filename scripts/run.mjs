// Runs a script of the root package.json on a machine that may have nothing but some Node >= 20 and npm:
//   node scripts/run.mjs <script> [arguments]
// The tools need a recent Node and the pinned pnpm. Where they are missing, both are fetched from npm into
// .cache/toolchain, used from there, and nothing is installed elsewhere.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// biome-ignore lint/correctness/useImportExtensions: JavaScript; biome takes its declarations for it.
import { provide } from './adapters.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NODE = readFileSync(join(root, '.node-version'), 'utf8').trim();
const PNPM = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];
const toolchain = join(root, '.cache', 'toolchain');
const bin = join(toolchain, 'node_modules', '.bin');
const shell = process.platform === 'win32';
const env = {
  ...process.env,
  PATH: [bin, join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  HEED_CALLER_NODE: process.execPath,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  npm_config_update_notifier: 'false',
};
const [script = 'test', ...args] = process.argv.slice(2);
// Read at once: it changes when whoever started this ends, which may be while the preparations run.
const parent = process.ppid;

/** What has to succeed before the script can begin. */
function prepare(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit', shell });
  if (status === 0) return;
  console.error(`${command} ${args.join(' ')} failed`);
  if (script === 'test') console.log('0 passed, 1 failed');
  process.exit(1);
}

/** The script itself. A server must not outlive whoever started it, and npm passes no signal on: it just dies. */
function run(command, args) {
  const child = spawn(command, args, { cwd: root, env, stdio: 'inherit', shell });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  setInterval(() => process.ppid !== parent && child.kill(), 500).unref();
  child.on('exit', (code) => process.exit(code ?? 1));
}

function has(command, wanted) {
  const { status, stdout } = spawnSync(command, ['--version'], { env, encoding: 'utf8', shell });
  return status === 0 && wanted(stdout.trim());
}

// Sources are run directly, and they say `using`: Node 24 is the first that knows both.
const recent = (version) => Number(version.match(/\d+/)?.[0]) >= 24;
const missing = [
  ...(has('node', recent) ? [] : [`node-${shell ? 'win' : process.platform}-${process.arch}@${NODE}`]),
  ...(has('pnpm', (version) => version === PNPM) ? [] : [`pnpm@${PNPM}`]),
];
if (missing.length > 0) {
  console.log(`Fetching ${missing.join(' and ')} into .cache/toolchain ...`);
  mkdirSync(toolchain, { recursive: true });
  const manifest = join(toolchain, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true}\n');
  prepare('npm', [
    'install',
    '--prefix',
    toolchain,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...missing,
  ]);
}
prepare('pnpm', ['install', '--frozen-lockfile', '--silent']);

if (script === 'test') {
  try {
    provide();
  } catch (error) {
    // The tests that need it say so too, and all others count.
    console.error(`No GPU in software: ${error.message}`);
  }
  run('node', ['scripts/check.ts']);
} else if (script === 'start') {
  prepare('turbo', ['run', 'build', '--filter=demo', '--output-logs=errors-only', '--log-prefix=none']);
  run('pnpm', ['--silent', '--filter', 'demo', 'run', 'preview', ...args]);
} else if (script === 'bench') run('node', ['benchmarks/src/bench.ts', ...args]);
else run('pnpm', ['--silent', 'run', script, ...args]);
