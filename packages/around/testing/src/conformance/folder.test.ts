// A folder of new cases in the same format just runs: nothing is known by its id.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reference } from '@heed/reference';
import { afterAll, describe, expect, it } from 'vitest';
import { ConformanceDataError } from './case.ts';
import { openFolder } from './folder.ts';
import { lastLine, report } from './report.ts';
import { runFolder } from './suite.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Given {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: 'float32' | 'int32' | 'bool';
}
const tensor = (
  shape: readonly number[],
  values: readonly number[],
  dtype: Given['dtype'] = 'float32',
): Given => ({
  shape,
  values,
  dtype,
});

interface Made {
  readonly id?: string;
  readonly family: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, Given>>;
  readonly expected: Readonly<Record<string, Given>>;
}

/** Writes cases as a folder, each tensor at a multiple of eight bytes. */
function folderOf(cases: readonly Made[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'heed-conformance-'));
  folders.push(folder);
  const bytes: number[] = [];
  const store = ({ shape, values, dtype = 'float32' }: Given) => {
    while (bytes.length % 8 !== 0) bytes.push(0);
    const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype].from(values);
    const byteOffset = bytes.length;
    bytes.push(...new Uint8Array(array.buffer));
    return { dtype, shape, file: 'numbers.bin', byteOffset, byteLength: array.byteLength };
  };
  const stored = (of: Readonly<Record<string, Given>> = {}) =>
    Object.fromEntries(Object.entries(of).map(([name, one]) => [name, store(one)]));
  const index = cases.map(({ id, family, attributes = {}, inputs, expected }, n) => ({
    id: id ?? `made/${n}`,
    source: 'worked by hand',
    family,
    attributes,
    tolerance: { rtol: 1e-5, atol: 1e-6 },
    inputs: stored(inputs),
    expected: stored(expected),
    tags: [],
  }));
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
  writeFileSync(join(folder, 'numbers.bin'), new Uint8Array(bytes));
  return folder;
}

// Scores 0 and log 3: weights 1/4 and 3/4.
const log3 = Math.log(3);
const quarter: Made = {
  id: 'anything/at-all',
  family: 'sdpa',
  attributes: { scale: 1 },
  inputs: { q: tensor([1, 1], [1]), k: tensor([2, 1], [0, log3]), v: tensor([2, 1], [4, 8]) },
  expected: { out: tensor([1, 1], [7]) },
};

const run = async (cases: readonly Made[]) => runFolder(openFolder(folderOf(cases)), reference());

describe('a folder of new cases', () => {
  it('runs by family, attributes and input names', async () => {
    const ran = await run([
      quarter,
      {
        family: 'additive',
        attributes: { score: 'additive', values: 'value', normalize_v: false, bias: false },
        inputs: {
          query: tensor([1, 1, 1], [0]),
          key: tensor([1, 2, 1], [0, Math.atanh(0.5)]),
          value: tensor([1, 2, 1], [4, 8]),
          W_q: tensor([1, 1], [1]),
          W_k: tensor([1, 1], [1]),
          v: tensor([1], [2 * log3]),
        },
        expected: { context: tensor([1, 1, 1], [7]), weights: tensor([1, 1, 2], [0.25, 0.75]) },
      },
      {
        family: 'mask',
        attributes: { kind: 'sliding_causal', Sq: 2, Sk: 3, window: 0 },
        expected: { mask: tensor([2, 3], [1, 0, 0, 0, 1, 0], 'bool') },
      },
      {
        family: 'normalize',
        attributes: { kind: 'sparsemax', axis: 0 },
        inputs: { logits: tensor([2, 1], [0, 0.5]) },
        expected: { p: tensor([2, 1], [0.25, 0.75]) },
      },
    ]);
    expect(lastLine(ran)).toBe('4 passed, 0 failed, 0 unsupported');
  });

  it('differentiates by what upstream gradients are given', async () => {
    const ran = await run([
      {
        ...quarter,
        inputs: { ...quarter.inputs, grad_out: tensor([1, 1], [2]) },
        expected: {
          ...quarter.expected,
          grad_v: tensor([2, 1], [0.5, 1.5]),
          // 2 * 1/4 * 3/4 * (8 - 4).
          grad_k: tensor([2, 1], [-1.5, 1.5]),
          grad_q: tensor([1, 1], [1.5 * log3]),
        },
      },
    ]);
    expect(report(ran)).toBe('1 passed, 0 failed, 0 unsupported');
  });

  it('says which element failed, and by how much', async () => {
    const [only] = await run([{ ...quarter, expected: { out: tensor([1, 1], [7.5]) } }]);
    expect(report([only!])).toBe(
      [
        'FAILED anything/at-all (sdpa)',
        '  out [0, 0]: expected 7.5, got 7: off by 5.00e-1, allowed 7.60e-5 (1 of 1 elements are wrong)',
        '0 passed, 1 failed, 0 unsupported',
      ].join('\n'),
    );
  });

  it('fails a result of another shape', async () => {
    const [only] = await run([{ ...quarter, expected: { out: tensor([1], [7]) } }]);
    expect(only?.outcome).toMatchObject({
      status: 'failed',
      error: { message: 'out: expected the shape [1], got [1,1]' },
    });
  });

  it('meets NaN and infinities exactly', async () => {
    const wrong = { ...quarter, expected: { out: tensor([1, 1], [Number.NaN]) } };
    const right = {
      ...quarter,
      inputs: { ...quarter.inputs, q: tensor([1, 1], [Number.NaN]) },
      expected: { out: tensor([1, 1], [Number.NaN]) },
    };
    const [a, b] = await run([wrong, right]);
    expect([a?.outcome.status, b?.outcome.status]).toEqual(['failed', 'passed']);
  });

  it('does not overlook what it does not know', async () => {
    const ran = await run([
      { ...quarter, family: 'sdqa' },
      { ...quarter, attributes: { scale: 1, temperature: 2 }, expected: { out: tensor([1, 1], [6]) } },
      { ...quarter, attributes: { scale: 1, causal: 'sideways' } },
      { ...quarter, expected: { ...quarter.expected, entropy: tensor([1], [0]) } },
      { ...quarter, attributes: { scale: 'large' } },
    ]);
    expect(
      ran.map(({ outcome }) => (outcome.status === 'unsupported' ? outcome.reason : outcome.status)),
    ).toEqual([
      'no runner for the family "sdqa"',
      'the runner does not know temperature',
      'the attribute "causal" is "sideways"; known: top-left, bottom-right',
      'the runner gives no entropy',
      'the attribute "scale" is "large"; known: a number',
    ]);
  });
});

describe('data that cannot be read', () => {
  const message = (work: () => unknown): string => {
    try {
      work();
      return 'nothing was thrown';
    } catch (problem) {
      expect(problem).toBeInstanceOf(ConformanceDataError);
      return (problem as Error).message;
    }
  };

  it('is named', async () => {
    expect(message(() => openFolder('/no/such/folder'))).toMatch(/^cannot read .*index\.json: ENOENT/);
    const folder = folderOf([quarter]);
    writeFileSync(join(folder, 'index.json'), '{');
    expect(message(() => openFolder(folder))).toMatch(/index\.json: expected JSON/);
    writeFileSync(join(folder, 'index.json'), '[{"id": "a"}]');
    expect(message(() => openFolder(folder))).toMatch(/entry 0 \("a"\): expected a "family"/);
  });

  it('is a failure of the run, not of a case', async () => {
    const folder = folderOf([quarter]);
    writeFileSync(join(folder, 'numbers.bin'), new Uint8Array(4));
    await expect(runFolder(openFolder(folder), reference())).rejects.toThrow(/takes 4 bytes|which has 4/);
  });
});

describe('the command line', () => {
  const cli = fileURLToPath(new URL('./cli.ts', import.meta.url));
  const call = (...args: readonly string[]): { readonly code: number; readonly text: string } => {
    try {
      return { code: 0, text: execFileSync('node', [cli, ...args], { encoding: 'utf8', stdio: 'pipe' }) };
    } catch (problem) {
      const { status, stdout, stderr } = problem as { status: number; stdout: string; stderr: string };
      return { code: status, text: stdout + stderr };
    }
  };

  it('ends with the counts, and with 1 if something failed', { timeout: 30_000 }, () => {
    const wrong = { ...quarter, expected: { out: tensor([1, 1], [7.0001]) } };
    const folder = folderOf([quarter, wrong]);
    expect(call(folder, '--backend', 'reference')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/\n1 passed, 1 failed, 0 unsupported\n$/),
    });
    expect(call(folder, '--backend', 'reference', '--tolerance-factor', '10')).toEqual({
      code: 0,
      text: '2 passed, 0 failed, 0 unsupported\n',
    });
  });

  it('ends with 2 and a message for what it cannot read', { timeout: 30_000 }, () => {
    expect(call('/no/such/folder')).toMatchObject({ code: 2, text: expect.stringMatching(/^cannot read/) });
    expect(call()).toMatchObject({
      code: 2,
      text: expect.stringMatching(/expected one folder[\s\S]*usage: pnpm conformance/),
    });
    expect(call('.', '--backend', 'abacus')).toMatchObject({
      code: 2,
      text: expect.stringMatching(/no backend "abacus"; there is reference/),
    });
    expect(call(folderOf([quarter]), '--family', 'flexx')).toMatchObject({
      code: 2,
      text: expect.stringMatching(/there are sdpa/),
    });
  });
});
