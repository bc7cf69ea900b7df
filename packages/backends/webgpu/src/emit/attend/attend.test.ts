import * as e from '@heed/expr';
import { allOf, allowed, bias, causal, document } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { additive, combination, laplace, scaledDot } from '@heed/scores';
import type { Backend } from '@heed/tensor';
import { describe, expect, it, vi } from 'vitest';
import { compare, keepsOut, run } from '../../../../trials/attend.fixture.ts';
import {
  everything,
  lengths,
  masks,
  modifiers,
  normalizers,
  scores,
} from '../../../../trials/parts.fixture.ts';
import { Draw, programOf, sceneOf } from '../../../../trials/scene.fixture.ts';
import { lavapipe, openOn, swiftshader } from '../../adapters.fixture.ts';
import type { WebGpuOptions } from '../../device/open.ts';
import { least, type Machine } from '../machine.ts';

vi.setConfig({ testTimeout: 300_000 });

async function onDevice(
  body: (backend: Backend) => Promise<void>,
  options: WebGpuOptions = swiftshader(),
  machine: Partial<Machine> = {},
): Promise<void> {
  const backend = await openOn(options, machine);
  try {
    await body(backend);
  } finally {
    await backend.close();
  }
}

const few = { ...lengths, query: 3 };
const many = { ...lengths, query: 37 };

describe('attend', () => {
  it.each(Object.keys(scores))('scores by %s', (name) =>
    onDevice(async (backend) => {
      const options = { score: scores[name] as never, normalizer: softmax() };
      const program = programOf(options, { ...everything(), features: 13, valueFeatures: 15 });
      for (const at of [few, many]) await compare(backend, sceneOf(program, at, new Draw(13)), new Draw(1));
    }),
  );

  it.each(Object.keys(masks))('masks by %s', (name) =>
    onDevice(async (backend) => {
      const options = { score: scaledDot(), mask: masks[name] as never, normalizer: softmax() };
      const program = programOf(options, everything());
      for (const [query, key] of [
        [5, 22],
        [40, 40],
        [70, 630],
      ] as const)
        await compare(backend, sceneOf(program, { ...lengths, query, key }, new Draw(key)), new Draw(2));
    }),
  );

  it.each(Object.keys(normalizers))('normalizes by %s', (name) =>
    onDevice(async (backend) => {
      const normalizer = normalizers[name] as never;
      const mask = causal({ align: 'start' });
      const program = programOf({ score: scaledDot(), normalizer, mask }, everything(name));
      for (const [query, key] of [
        [3, 22],
        [40, 210],
      ] as const)
        await compare(backend, sceneOf(program, { ...lengths, query, key }, new Draw(4)), new Draw(4));
    }),
  );

  it.each(Object.keys(modifiers))('modifies by %s', (name) =>
    onDevice(async (backend) => {
      const options = { score: scaledDot(), modifiers: [modifiers[name] as never], normalizer: softmax() };
      const program = programOf(options, everything());
      for (const at of [few, many])
        await compare(backend, sceneOf(program, at, new Draw(5)), new Draw(5), 'anyhow');
    }),
  );

  it('reads keys and values stored in fewer bits', () =>
    onDevice(async (backend) => {
      for (const stored of ['float16', 'bfloat16', 'int8'] as const) {
        const program = programOf(
          { score: scaledDot(), normalizer: softmax() },
          { keep: { level: true, weights: false }, stored, features: 8, valueFeatures: 8 },
        );
        for (const placing of ['fours', 'anyhow'] as const) {
          for (const query of [4, 20])
            await compare(
              backend,
              sceneOf(program, { ...lengths, query, key: 70 }, new Draw(6)),
              new Draw(6),
              placing,
            );
        }
      }
    }));

  it.each([
    [1, 1],
    [255, 256],
    [256, 131],
    [64, 600],
    [40, 72],
  ])('takes %i features and values of %i columns', (features, valueFeatures) =>
    onDevice(async (backend) => {
      const program = programOf(
        { score: scaledDot(), normalizer: softmax() },
        { keep: { level: true, weights: false }, features, valueFeatures },
      );
      for (const query of [2, 33]) {
        const scene = sceneOf(program, { batch: 1, head: 2, keyHead: 1, query, key: 70 }, new Draw(features));
        for (const placing of ['fours', 'anyhow'] as const)
          await compare(backend, scene, new Draw(1), placing);
      }
    }),
  );

  it('leaves the exponentials outside the loop only within their guards', () =>
    onDevice(async (backend) => {
      const program = programOf({ score: additive({ hidden: 6 }), normalizer: softmax() }, everything());
      const scene = sceneOf(program, { ...lengths, query: 40, key: 250 }, new Draw(7));
      await compare(backend, scene, new Draw(7));
      // Far beyond the guard in a few rows of either side: tanh is then exactly one, and no product overflows.
      for (const name of ['query$0', 'key$0']) {
        const { data } = scene.inputs[name] as { data: Float64Array };
        for (let i = 0; i < data.length; i += 97) data[i] = i % 2 === 0 ? 60 : -60;
      }
      await compare(backend, scene, new Draw(7));
    }));

  it.each(Object.keys(normalizers))('keeps what masked keys hold out of every result: %s', (name) =>
    onDevice(async (backend) => {
      const normalizer = normalizers[name] as never;
      for (const score of name === 'softmax'
        ? [scaledDot(), additive({ hidden: 5 }), laplace()]
        : [scaledDot()]) {
        const options = { score, normalizer, mask: causal({ align: 'start' }) };
        const program = programOf(options, everything(name));
        for (const query of [30, 5]) await keepsOut(backend, program, { ...lengths, query, key: 30 });
      }
    }),
  );

  it.each(Object.keys(normalizers))('gives the same context with and without weights: %s', (name) =>
    onDevice(async (backend) => {
      for (const query of [3, 37]) {
        const contexts = [];
        for (const weights of [false, true, { pool: 4 }] as const) {
          const program = programOf(
            { score: scaledDot(), normalizer: normalizers[name] as never, mask: causal({ align: 'end' }) },
            { keep: { level: false, weights } },
          );
          const scene = sceneOf(program, { ...lengths, query }, new Draw(9));
          contexts.push((await run(backend, scene, new Draw(9))).context);
        }
        expect(contexts[1]).toEqual(contexts[0]);
        expect(contexts[2]).toEqual(contexts[0]);
      }
    }),
  );

  it('drops the pairs that the reference drops', () =>
    onDevice(async (backend) => {
      const program = programOf(
        { score: scaledDot(), normalizer: softmax(), dropout: 0.4 },
        { ...everything(), train: true },
      );
      for (const at of [few, many]) await compare(backend, sceneOf(program, at, new Draw(10)), new Draw(10));
    }));

  it('is within 3e-6 of float64 for normal inputs', () =>
    onDevice(async (backend) => {
      const { reference } = await import('@heed/reference');
      const oracle = await reference().open();
      const program = programOf(
        { score: scaledDot(), normalizer: softmax() },
        { features: 64, valueFeatures: 64 },
      );
      for (const query of [4, 40]) {
        const scene = sceneOf(program, { batch: 1, head: 1, keyHead: 1, query, key: 600 }, new Draw(11));
        const [own, exact] = [await run(backend, scene, new Draw(1)), await run(oracle, scene, new Draw(1))];
        const furthest = Math.max(
          ...(own.context as Float64Array).map((one, i) =>
            Math.abs(one - ((exact.context as Float64Array)[i] as number)),
          ),
        );
        expect(furthest).toBeLessThan(3e-6);
      }
    }));

  it('softens nothing that is large', () =>
    onDevice(async (backend) => {
      const program = programOf(
        { score: scaledDot(), modifiers: [bias()], normalizer: softmax() },
        everything(),
      );
      for (const query of [5, 37]) {
        const scene = sceneOf(program, { ...lengths, query }, new Draw(13));
        const { data } = scene.inputs.bias as { data: Float64Array };
        // Rows of the lowest float32, of -infinity, of large scores, and all of these together.
        data.forEach((_, i) => {
          const row = Math.floor(i / lengths.key) % 5;
          const some = [-3.4028234663852886e38, -Infinity, 1e6, Number.NaN];
          data[i] =
            row < 3 ? (some[row] as number) : row === 3 ? (some[i % 3] as number) : (data[i] as number);
        });
        await compare(backend, scene, new Draw(13));
        data.fill(0.5);
        // NaN, infinity: every number of such a row.
        data[3] = Number.NaN;
        data[lengths.key + 3] = Infinity;
        await compare(backend, scene, new Draw(13));
      }
    }));

  it('leaves rows empty that may see nothing, or whose scores are all -infinity', () =>
    onDevice(async (backend) => {
      for (const name of ['softmax', 'softmax with a sink', 'sparsemax', 'hard']) {
        const program = programOf(
          {
            score: scaledDot(),
            modifiers: [bias()],
            mask: causal({ align: 'end' }),
            normalizer: normalizers[name] as never,
          },
          everything(name),
        );
        // More queries than keys: the first see no key.
        for (const query of [6, 40]) {
          const scene = sceneOf(program, { ...lengths, query, key: 4 }, new Draw(14));
          const { data } = scene.inputs.bias as { data: Float64Array };
          for (let i = 0; i < data.length; i++) if (Math.floor(i / 4) % 3 === 0) data[i] = -Infinity;
          await compare(backend, scene, new Draw(14));
        }
        for (const query of [3, 20])
          await compare(backend, sceneOf(program, { ...lengths, query, key: 0 }, new Draw(15)), new Draw(15));
      }
    }));

  it('gives the same where inputs do not fit the bindings of the least device', () =>
    onDevice(
      async (backend) => {
        const program = programOf(
          {
            score: combination({ terms: ['q', 'k', 'q*k', 'q-k'], bias: true }),
            modifiers: [bias()],
            mask: allOf(document(), allowed()),
            normalizer: softmax(),
          },
          everything(),
        );
        const scene = sceneOf(program, many, new Draw(18));
        for (const name of ['queryDocuments', 'keyDocuments']) {
          const { data } = scene.inputs[name] as { data: Float64Array };
          data.forEach((one, i) => {
            data[i] = one % 2;
          });
        }
        await compare(backend, scene, new Draw(18), 'anyhow');
        expect(backend.compile(program).source).toMatch(/^\/\/ pack b:/m);
      },
      swiftshader(),
      least,
    ));

  it('exchanges through subgroups that are large enough', () =>
    onDevice(async (backend) => {
      const mask = causal({ align: 'start' });
      const program = programOf({ score: scaledDot(), mask, normalizer: softmax() }, { features: 4 });
      for (const at of [few, { ...many, key: 70 }]) {
        await compare(backend, sceneOf(program, at, new Draw(17)), new Draw(17));
      }
      expect(backend.compile(program).source).toContain('subgroupShuffleXor');
    }, lavapipe()));

  it('averages numbers and matrices, as the contract allows', () =>
    onDevice(async (backend) => {
      const plain = programOf({ score: scaledDot(), normalizer: softmax() }, {});
      const value = plain.inputs.value as (typeof plain.inputs)[string];
      for (const type of [e.scalar, e.mat('feature', '3')]) {
        const program = { ...plain, inputs: { ...plain.inputs, value: { ...value, type } } };
        for (const at of [few, many])
          await compare(backend, sceneOf(program, at, new Draw(16)), new Draw(16), 'anyhow');
      }
    }));

  it('reads rows of keys that each head has for itself', () =>
    onDevice(async (backend) => {
      const plain = programOf({ score: scaledDot(), normalizer: softmax() }, {});
      const k = plain.inputs.k as (typeof plain.inputs)[string];
      const program = { ...plain, inputs: { ...plain.inputs, k: { ...k, along: ['head', 'key'] as const } } };
      for (const at of [few, many])
        await compare(backend, sceneOf(program, { ...at, head: 4, keyHead: 2 }, new Draw(18)), new Draw(18));
    }));

  it('says why it does not run what it does not run', () =>
    onDevice(async (backend) => {
      const program = programOf({ score: scaledDot(), normalizer: softmax() }, {});
      const q = program.inputs.q as (typeof program.inputs)[string];
      expect(backend.supports(program)).toBe(true);
      expect(
        backend.supports({ ...program, inputs: { ...program.inputs, q: { ...q, dtype: 'int32' } } }),
      ).toEqual({
        reason: 'the webgpu backend reads "q" as what it is stored as (int32), not as float.',
      });
    }));
});
