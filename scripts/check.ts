// Runs every check through turbo, which repeats only what a change can have touched, and ends with one line:
// N passed, N failed. A unit test counts one, and so does each other check.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root } from './workspace.ts';

const UNIT = 'test:report';
const CHECKS = ['lint', 'layers', 'typecheck', UNIT, 'build'];
/** These look at what has been built; knip too: a package may be needed by declarations alone. */
const CHECKS_OF_BUILT = ['knip', 'publint', 'attw', 'pack-test'];

const REPORT = join(root, '.reports', 'unit.json');
const RUNS = join(root, '.turbo', 'runs');

interface TurboRun {
  readonly tasks: readonly { readonly task: string; readonly execution?: { readonly exitCode: number } }[];
}
interface VitestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The names among `names` that passed: in every package that has a task of that name. */
function passing(names: readonly string[]): readonly string[] {
  rmSync(RUNS, { recursive: true, force: true });
  const flags = [
    '--continue=dependencies-successful',
    '--summarize',
    '--log-order=grouped',
    '--log-prefix=none',
  ];
  spawnSync('turbo', ['run', ...names, ...flags], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const tasks = globSync('*.json', { cwd: RUNS }).flatMap(
    (file) => readJson<TurboRun>(join(RUNS, file)).tasks,
  );
  return names.filter((name) => {
    const ofName = tasks.filter(({ task }) => task === name);
    return ofName.length > 0 && ofName.every(({ execution }) => execution?.exitCode === 0);
  });
}

/** A file that could not be loaded has no tests, and counts as one that failed. */
function countTests(): { passed: number; failed: number } {
  if (!existsSync(REPORT)) return { passed: 0, failed: 0 };
  const files = readJson<VitestReport>(REPORT).testResults;
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const count = (status: string) => tests.filter((test) => test.status === status).length;
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return { passed: count('passed'), failed: count('failed') + broken.length };
}

rmSync(REPORT, { force: true });
const built = passing(CHECKS);
const afterwards = built.includes('build') ? passing(CHECKS_OF_BUILT) : [];
const good = [...built, ...afterwards];
const bad = [...CHECKS, ...CHECKS_OF_BUILT].filter((name) => !good.includes(name));

const tests = countTests();
const unitFailed = bad.includes(UNIT) ? Math.max(tests.failed, 1) : 0;
const checksPassed = good.filter((name) => name !== UNIT).length;
const checksFailed = bad.filter((name) => name !== UNIT).length;
if (!built.includes('build')) console.log(`not run, for want of a build: ${CHECKS_OF_BUILT.join(', ')}`);
if (bad.length > 0) console.log(`failed: ${bad.join(', ')}`);
console.log(`${tests.passed + checksPassed} passed, ${unitFailed + checksFailed} failed`);
process.exitCode = bad.length > 0 ? 1 : 0;
