import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { workerSource } from '../../../scripts/worker.ts';
import { detect } from '../features.ts';
import { compilePlain } from './compile.ts';
import { Here } from './here.ts';
import type { Failure, Job } from './job.ts';
import { cut } from './job.ts';
import { GATE, jobOf, newMemory, OUT, PLACES, sources } from './kernels.fixture.ts';
import { Team } from './team.ts';
import { source } from './worker-source.ts';

const open: Here[] = [];
afterEach(async () => {
  for (const crew of open.splice(0)) await crew.close(new Error('closed'));
});

/** A crew over a memory of its own, and where its code goes. */
function crewOf(threads: number, memory = newMemory()) {
  let team: Team | undefined;
  const helpers = (lost: (part: number, reason: string) => void): Team => {
    team = new Team({ memory, threads, lost });
    return team;
  };
  const places = PLACES;
  const crew = new Here({
    memory,
    places,
    compile: compilePlain,
    notes: [],
    helpers: threads > 1 ? helpers : null,
  });
  open.push(crew);
  let end = 1024;
  const place = (bytes: number): number => {
    end += 1024;
    if (bytes > 1024) throw new Error('A kernel of a test is small.');
    return end - 1024;
  };
  const failures: Failure[] = [];
  const run = (job: Job): void => crew.run(job, (failure) => failures.push(failure));
  const words = async (count: number, from = OUT) =>
    Array.from(new Int32Array((await crew.read(from, count * 4)).buffer));
  const load = (name: keyof typeof sources) => crew.load(sources[name], place);
  const arrived = async (): Promise<void> => {
    team?.start();
    await until(() =>
      Array.from({ length: threads - 1 }, (_, i) => (team as Team).words[256 + 16 * (i + 1) + 1]).every(
        Boolean,
      ),
    );
  };
  return { crew, memory, failures, run, words, load, arrived, team: () => team as Team };
}

async function until(met: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !met(); ) {
    if (Date.now() > end) throw new Error('It never came to that.');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const all = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('cut', () => {
  it('covers all units with parts of one size, by size and threads alone', () => {
    for (const threads of [1, 2, 3, 16])
      for (const units of [1, 2, 7, 1000, 123_457, 2_000_000])
        for (const weight of [1, 100, 2 ** 14, 2 ** 20]) {
          const { chunk, chunks } = cut({ units, weight }, threads);
          expect(chunks).toBeLessThanOrEqual(1000);
          expect(chunk * chunks).toBeGreaterThanOrEqual(units);
          expect(chunk * (chunks - 1)).toBeLessThan(units);
        }
    expect(cut({ units: 64, weight: 2 ** 18 }, 2)).toEqual({ chunk: 1, chunks: 64 });
    expect(cut({ units: 64, weight: 1 }, 2)).toEqual({ chunk: 64, chunks: 1 });
  });
});

describe.skipIf(!detect().shared).each([1, 2, 4])('a crew of %i', (threads) => {
  it('does each unit of each job once, in many small jobs', async () => {
    const { run, words, load, arrived } = crewOf(threads);
    const kernel = load('count');
    if (threads > 1) await arrived();
    for (let job = 0; job < 3000; job++) run(jobOf(kernel, 40));
    expect(await words(41)).toEqual([...all(40, 3000), 0]);
    // Too small to be worth sharing.
    for (let job = 0; job < 1000; job++) run(jobOf(kernel, 40, 1, { weight: 1 }));
    expect(await words(40)).toEqual(all(40, 4000));
  });

  it('goes on after a pause, in which the others fall asleep', async () => {
    const { run, words, load, arrived } = crewOf(threads);
    const kernel = load('count');
    if (threads > 1) await arrived();
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (let job = 0; job < 20; job++) run(jobOf(kernel, 100));
    }
    expect(await words(100)).toEqual(all(100, 100));
  });

  it('works beside other crews', async () => {
    const crews = [crewOf(threads), crewOf(threads), crewOf(threads)];
    const kernels = crews.map(({ load }) => load('count'));
    for (let job = 0; job < 100; job++)
      for (const [i, { run }] of crews.entries()) run(jobOf(kernels[i] as never, 50, i + 1));
    for (const [i, { words }] of crews.entries()) expect(await words(50)).toEqual(all(50, 100 * (i + 1)));
  });

  it('says that a kernel trapped, and does the next job', async () => {
    const { run, words, load, failures, arrived } = crewOf(threads);
    const [trap, kernel] = [load('trap'), load('count')];
    if (threads > 1) await arrived();
    run(jobOf(trap, 64));
    run(jobOf(kernel, 64));
    expect(await words(64)).toEqual(all(64, 1));
    expect(failures).toEqual([{ of: 'trap', message: expect.stringContaining('out of bounds') }]);
  });

  it('keeps what a job watched when its kernel raises the flag', async () => {
    const { crew, run, words, load, failures } = crewOf(threads);
    const kernel = load('flag');
    crew.write(OUT, Uint8Array.of(1, 2, 3, 4));
    run(jobOf(kernel, 64, 1, { watched: { address: OUT, bytes: 4 } }));
    crew.fill(OUT, 4, 9);
    run(jobOf(load('count'), 64, 0));
    await words(1);
    expect(failures).toEqual([{ of: 'flag', watched: Uint8Array.of(1, 2, 3, 4) }]);
  });

  it('lets a failure enqueue more', async () => {
    const { crew, words, load } = crewOf(threads);
    const [flag, kernel] = [load('flag'), load('count')];
    crew.run(jobOf(flag, 64), () => crew.run(jobOf(kernel, 64), () => {}));
    crew.run(jobOf(kernel, 64, 10), () => {});
    expect(await words(64)).toEqual(all(64, 11));
  });

  it('finds kernels and data in memory that has grown meanwhile', async () => {
    const { crew, memory, run, words, load, arrived } = crewOf(threads);
    const kernel = load('count');
    if (threads > 1) await arrived();
    run(jobOf(kernel, 64));
    for (let pages = 1; pages <= 16; pages *= 2) {
      const before = memory.buffer.byteLength;
      memory.grow(pages);
      const end = memory.buffer.byteLength;
      const far = crew.load(sources.count, () => end - 1024);
      const out = before + 16;
      run(jobOf(far, 64, pages, { frame: Int32Array.of(out, pages) }));
      expect(await words(64, out)).toEqual(all(64, pages));
    }
  });
});

describe.skipIf(!detect().shared)('a thread', () => {
  it('may die in the middle of a job: the job is done, and the thread replaced', async () => {
    const { crew, run, words, load, failures, arrived, team } = crewOf(2);
    const [gated, kernel] = [load('gated'), load('count')];
    await arrived();
    const dying = team().helpers.get(1);
    run(jobOf(gated, 64));
    // The job waits for the thread; what follows waits for the job, and for what it was when it was asked for.
    const ten = Uint8Array.of(10, 0, 0, 0);
    crew.write(OUT, ten);
    ten.fill(77);
    run(jobOf(kernel, 64));
    const found = words(64);
    await dying?.end();
    expect(await found).toEqual([11, ...all(63, 2)]);
    expect(failures).toEqual([]);
    expect(crew.notes).toEqual(['a thread ended (it was terminated) and was replaced']);
    await arrived();
    expect(team().helpers.get(1)).not.toBe(dying);
    for (let job = 0; job < 100; job++) run(jobOf(kernel, 64));
    expect(await words(2)).toEqual([111, 102]);
  });

  it('may die over work that cannot be done twice: that is an error', async () => {
    const { run, words, load, failures, arrived, team } = crewOf(2);
    const [gated, kernel] = [load('gated'), load('count')];
    await arrived();
    run(jobOf(gated, 64, 1, { repeatable: false }));
    await team().helpers.get(1)?.end();
    run(jobOf(kernel, 64));
    await words(1);
    expect(failures).toEqual([
      { of: 'loss', message: expect.stringMatching(/a thread ended .*cannot be done twice/) },
    ]);
  });

  it('may die idle', async () => {
    const { run, words, load, arrived, team } = crewOf(3);
    const kernel = load('count');
    await arrived();
    await new Promise((resolve) => setTimeout(resolve, 10));
    for (const [, helper] of team().helpers) void helper.end();
    for (let job = 0; job < 100; job++) run(jobOf(kernel, 64));
    expect(await words(64)).toEqual(all(64, 100));
  });

  it('may take long: the job ends by itself, and the rest in order', async () => {
    const { crew, memory, run, words, load, arrived } = crewOf(2);
    const gated = load('gated');
    await arrived();
    run(jobOf(gated, 64));
    run(jobOf(gated, 64, 1));
    const found = words(64);
    expect(crew.notes).toEqual([]);
    Atomics.store(new Int32Array(memory.buffer), GATE >> 2, 1);
    expect(await found).toEqual(all(64, 2));
  });

  it('ends with its crew, and whoever still waits hears so', async () => {
    const { crew, run, words, load, arrived } = crewOf(2);
    const gated = load('gated');
    await arrived();
    run(jobOf(gated, 64));
    const found = words(1);
    const heard = expect(found).rejects.toThrow('closed');
    await crew.close(new Error('closed'));
    await heard;
  });
});

describe('a process', () => {
  const index = new URL('../../index.ts', import.meta.url).href;
  const node = (program: string, ...flags: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...flags, '--input-type=module', '-e', program],
      { encoding: 'utf8', timeout: 20_000, cwd: fileURLToPath(new URL('.', import.meta.url)) },
    );
    return { status, stdout, stderr };
  };
  const work = `
    import { cpu } from '${index}';
    import { trace, scalar, add } from '@heed/expr';
    const backend = await cpu({ threads: 2 }).open();
    const body = trace('t', scalar, (x) => add(x('a', scalar), x('a', scalar)));
    const kernel = backend.compile({ kind: 'map', rank: 1, inputs: { a: 'float32' }, uniforms: {}, results: { out: { dtype: 'float32', body } } });
    const n = 2 ** 20;
    const view = (allocation) => ({ allocation, dtype: 'float32', shape: [n], strides: [1], offset: 0 });
    const [a, out] = [backend.allocate(n * 4), backend.allocate(n * 4)];
    backend.write(a, new Uint8Array(new Float32Array(n).fill(1.5).buffer));
    for (let i = 0; i < 20; i++) backend.run(kernel, { inputs: { a: view(a) }, outputs: { out: view(out) }, uniforms: {}, sizes: {} });
    const found = new Float32Array((await backend.read(out, 0, n * 4)).buffer);
    console.log(found.every((one) => one === 3), backend.compile !== undefined && kernel.notes.at(-1));
  `;

  it.each([
    ['ends by itself', work],
    ['ends by itself right after the threads began', work.replace('i < 20', 'i < 2')],
    ['ends when it closed the backend', `${work} await backend.close();`],
    ['ends when it says so', `${work} process.exit(0);`],
  ])('%s', (_, program) => {
    expect(node(program)).toEqual({ status: 0, stdout: 'true 2 threads\n', stderr: '' });
  });
});

it('knows what a thread runs: `pnpm --filter @heed/cpu run worker` writes it', () => {
  expect(`export const source = \`${source.replaceAll(/[\\`]|\$\{/g, '\\$&')}\`;`).toBe(
    workerSource().split('\n')[2],
  );
});
