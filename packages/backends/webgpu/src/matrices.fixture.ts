// For tests, in a Node of its own: products by subgroup matrices, run for real and compared with the reference. Bundled and
// run by matrices.test.ts, with the package `webgpu` as its argument. Exits with 1 if anything failed.

import { attention } from '@heed/attention';
import { causal, softcap } from '@heed/masks';
import { hard, softmax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { scaledDot } from '@heed/scores';
import { normal, openDevice } from '@heed/tensor';
import { type Attempt, agree, drawn } from '../../../around/testing/src/laws/backend/attempt.ts';
import { matmulAttempts } from '../../../around/testing/src/laws/backend/folds.ts';
import { Random } from '../../../around/testing/src/random.ts';
import { compare } from '../../trials/attend.fixture.ts';
import { Draw, programOf, sceneOf } from '../../trials/scene.fixture.ts';
import { webgpu } from './index.ts';

const { create } = (await import(process.argv[2] as string)) as { create(flags: readonly string[]): GPU };
// Held for as long as anything made from it lives; matrices are an experiment, which has to be asked for.
const gpu = create(['adapter=llvmpipe', 'enable-dawn-features=allow_unsafe_apis,disable_workgroup_init']);
const plugin = webgpu({ gpu, poison: true });
const [device, oracle] = [await openDevice(plugin), await openDevice(reference())];
const backend = device.backend as Awaited<ReturnType<typeof plugin.open>>;
const without = await webgpu({ gpu, poison: true, matrices: false }).open();

let failed = 0;
async function hold(name: string, body: () => unknown): Promise<void> {
  const start = performance.now();
  const problem = await Promise.resolve()
    .then(body)
    .then(
      () => null,
      (error: Error) => error,
    );
  if (problem) failed++;
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  console.log(problem ? `FAILED ${name}: ${problem.stack ?? problem}` : `${name}: ${took}`);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}

const by = /subgroup matrices of 8 x 8 x 8, float16 summed in float32/;

/** A product like those of the laws, of these sizes. */
function product(batch: readonly number[], m: number, k: number, n: number, random: Random): Attempt {
  const like = matmulAttempts('float16', random)[batch.length] as Attempt;
  const [a, b, out] = [
    [...batch, m, k],
    [...batch, k, n],
    [...batch, m, n],
  ] as const;
  const inputs = Object.fromEntries(
    Object.entries({ a, b, bias: out }).map(([name, shape]) => [name, drawn(shape, 'float16', random)]),
  );
  return {
    ...like,
    name: `matmul [${batch}] ${m} x ${k} x ${n}`,
    inputs,
    results: { out: { shape: out, dtype: 'float16' } },
    roundings: k + 6,
  };
}

await hold('matrices are found, and can be left out', () => {
  const found = backend.machine.matrices.map(({ component, result, m, n, k }) =>
    [component, result, m, n, k].join(' '),
  );
  expect(found.includes('f16 f32 8 8 8'), `a product of f16 summed in f32 among ${found.join(', ')}`);
  expect(without.machine.matrices.length === 0, 'no matrices where they are not wanted');
});

const random = new Random(26);
for (const [batch, m, k, n] of [
  [[], 64, 64, 64],
  [[], 33, 17, 31],
  [[2], 40, 72, 9],
  [[3, 2], 8, 8, 130],
  [[16, 8], 9, 24, 20],
] as const) {
  const attempt = product(batch, m, k, n, random);
  await hold(attempt.name, async () => {
    await agree(attempt, device, oracle, random, 1);
    const notes = device
      .kernel(
        'matrices',
        attempt.program((dtype) => dtype),
      )
      .notes.join('; ');
    expect(by.test(notes), `matrices in "${notes}"`);
  });
}

/** Attentions over 16-bit floats: those whose rows lie in fours, that read anything, of many features, of wide values. */
const attentions = {
  'scaled dot, causal, softmax': {
    options: { score: scaledDot(), mask: causal({ align: 'start' }), normalizer: softmax() },
    sizes: { features: 64, valueFeatures: 64 },
    placing: 'fours',
    lengths: { batch: 2, head: 2, keyHead: 1, query: 40, key: 70 },
  },
  'scaled dot, softcap, softmax, weights': {
    options: { score: scaledDot(), modifiers: [softcap()], normalizer: softmax() },
    sizes: { features: 13, valueFeatures: 6, keep: { level: true, weights: true } },
    placing: 'anyhow',
    lengths: { batch: 2, head: 2, keyHead: 1, query: 40, key: 70 },
  },
  'scaled dot, hard': {
    options: { score: scaledDot(), normalizer: hard() },
    sizes: { features: 80, valueFeatures: 4 },
    placing: 'plain',
    lengths: { batch: 2, head: 2, keyHead: 1, query: 40, key: 70 },
  },
  // Rows are shared by more invocations than exchange through a subgroup at once.
  'scaled dot, causal, softmax with a sink, wide values': {
    options: {
      score: scaledDot(),
      mask: causal({ align: 'end' }),
      normalizer: softmax({ sink: 'zero' }),
    },
    sizes: { features: 16, valueFeatures: 140 },
    placing: 'fours',
    lengths: { batch: 2, head: 2, keyHead: 2, query: 70, key: 7 },
  },
} as const;
for (const [name, { options, sizes, placing, lengths }] of Object.entries(attentions)) {
  const program = programOf(options, { dtype: 'float16', ...sizes });
  await hold(name, async () => {
    const scene = sceneOf(program, lengths, new Draw(26));
    await compare(backend, scene, new Draw(26), placing);
    const { source } = backend.compile(program);
    expect(source.includes('subgroupMatrixMultiplyAccumulate'), `matrices in\n${source}`);
  });
}

await hold('explain says so, and float32 is never multiplied by them', async () => {
  const attend = attention({ score: scaledDot(), normalizer: softmax() });
  const noted = async (dtype: 'float16' | 'float32'): Promise<boolean> => {
    const rows = normal(device, [1, 1, 64, 16], { seed: 26, dtype });
    await attend(rows, rows, rows).read();
    return by.test(attend.explain(rows, rows, rows).backend);
  };
  expect(await noted('float16'), 'a note that matrices ran');
  expect(!(await noted('float32')), 'no matrices of float32');
});

await without.close();
await device.close();
await oracle.close();
if (failed > 0) process.exitCode = 1;
console.log(`${failed} failed`);
