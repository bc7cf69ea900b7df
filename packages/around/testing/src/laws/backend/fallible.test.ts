// Laws that cannot fail are none: each is shown a backend that breaks it.

import { reference } from '@heed/reference';
import { type AttendProgram, type BackendPlugin, type Tensor, zeros } from '@heed/tensor';
import { describe, expect, it, vi } from 'vitest';
import { faulty, misreads, narrow, opensOnce, spoils } from '../faults.fixture.ts';
import type { Law } from '../law.ts';
import { settle } from '../options.ts';
import { broken, verdictsOf } from '../verdicts.fixture.ts';
import { backendLaws } from './index.ts';
import { machineLaws } from './machine.ts';

// Many scenes each, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const settings = settle({});
const failing = async (law: Law): Promise<string> =>
  law.check().then(
    () => 'held',
    (problem: Error) => problem.message,
  );
const isAttend = ({ kind }: { readonly kind: string }): boolean => kind === 'attend';

describe('laws of backends notice', () => {
  const keeps = (program: Parameters<Parameters<typeof spoils>[0]>[0]) =>
    (program as AttendProgram).keep?.weights;
  const cases: Readonly<Record<string, readonly [string, BackendPlugin]>> = {
    'a wrong map': ['map: every op', spoils(({ kind }) => kind === 'map', 1)],
    'a wrong conversion': ['map: conversions', spoils(({ kind }) => kind === 'map', 7)],
    'a wrong reduction': ['reduce:', spoils(({ kind }) => kind === 'reduce')],
    'a wrong row program': ['row:', spoils(({ kind }) => kind === 'row')],
    'a wrong product': ['matmul:', spoils(({ kind }) => kind === 'matmul')],
    'a wrong lookup': ['gather and scatter-add', spoils(({ kind }) => kind === 'gather')],
    'a wrong scatter': ['gather and scatter-add', spoils(({ kind }) => kind === 'scatter-add')],
    'strides that are not followed': [
      'matmul:',
      misreads((call, { kind }) =>
        kind === 'matmul'
          ? {
              ...call,
              inputs: { ...call.inputs, a: { ...call.inputs.a!, strides: packed(call.inputs.a!.shape) } },
            }
          : call,
      ),
    ],
    'an offset that is off by one': [
      'map: every op',
      misreads((call, { kind }) => {
        const a = call.inputs.a;
        return kind === 'map' && a && a.offset > 0
          ? { ...call, inputs: { ...call.inputs, a: { ...a, offset: a.offset - 1 } } }
          : call;
      }),
    ],
    'a wrong attention': ['additive, causal, softmax, reweight: gives', spoils(isAttend)],
    'a wrong gradient': [
      'dot, softmax: gradients on the device',
      spoils(({ kind }) => kind === 'attend-gradient'),
    ],
    'tiles that go wrong': [
      'lengths of many tiles',
      spoils((_, { outputs }) => outputs.context?.shape.includes(70) ?? false, 69),
    ],
    'pooled weights that are wrong': [
      'pooled weights',
      spoils((program) => typeof keeps(program) === 'object'),
    ],
    'other drops than the reference': [
      'dropout',
      misreads((call) =>
        'dropoutSeed' in call.uniforms
          ? { ...call, uniforms: { ...call.uniforms, dropoutSeed: 1 + (call.uniforms.dropoutSeed ?? 0) } }
          : call,
      ),
    ],
    'zeros that nobody wrote': ['freshly allocated', lazyZeros()],
    'faults that are swallowed': [
      'out of range',
      faulty((inner) => ({ read: (...at) => inner.read(...at).catch(() => inner.read(...at)) })),
    ],
    'work in another order': ['order in which it was enqueued', backwards()],
    'bytes that change in memory': [
      'read back',
      faulty((inner) => ({
        write: (to, bytes, at) =>
          inner.write(
            to,
            bytes.map((one) => one & 0xfe),
            at,
          ),
      })),
    ],
    'memory that is promised and not there': [
      'cannot be had',
      faulty((inner) => ({ allocate: (bytes) => inner.allocate(Math.min(bytes, 64)) })),
    ],
    'a device that opens once': ['opened again', opensOnce()],
  };
  for (const [name, [law, backend]] of Object.entries(cases)) {
    it(name, async () => {
      const verdicts = await verdictsOf((runner) => backendLaws(backend, runner, { runs: 5 }), [law]);
      expect(broken(verdicts).length).toBeGreaterThan(0);
    });
  }

  it('tensors that are never freed', async () => {
    const kept: Tensor[] = [];
    const leaking = machineLaws({ ...settings, backend: reference() }, async (device) => {
      kept.push(zeros(device, [4]));
      return new Float64Array();
    });
    expect(await failing(leaking.find(({ name }) => name.includes('live buffers')) as Law)).toMatch(/thrice/);
  });

  it('nothing wrong with a device of float32', async () => {
    const verdicts = await verdictsOf((runner) => backendLaws(narrow, runner, { runs: 2 }));
    expect(broken(verdicts).map((law) => `${law}: ${verdicts[law]}`)).toEqual([]);
  });
});

const packed = (shape: readonly number[]): number[] =>
  shape.map((_, i) => shape.slice(i + 1).reduce((all, one) => all * one, 1));

/** Gives zeroed memory, and so does not bother to write zeros. */
function lazyZeros(): BackendPlugin {
  return faulty((inner) => ({
    allocate: (bytes) => {
      const allocation = inner.allocate(bytes);
      inner.write(allocation, new Uint8Array(bytes));
      return allocation;
    },
    run: (kernel, call) => {
      const { program } = kernel;
      const isZero =
        program.kind === 'map' &&
        Object.keys(program.inputs).length === 0 &&
        (call.uniforms.value ?? 0) === 0;
      if (!isZero) inner.run(kernel, call);
    },
  }));
}

/** Runs what was enqueued when it is read, the latest first. */
function backwards(): BackendPlugin {
  return faulty((inner) => {
    const queue: (() => void)[] = [];
    return {
      run: (kernel, call) => void queue.push(() => inner.run(kernel, call)),
      free: () => undefined,
      read: (...at) => {
        for (const job of queue.splice(0).reverse()) job();
        return inner.read(...at);
      },
    };
  });
}
