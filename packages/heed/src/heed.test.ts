import { packageOf } from '@heed/registry';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import * as heedModule from './index.ts';
import {
  createHeed,
  defaultRegistry,
  defineScore,
  formula,
  HeedError,
  layers,
  masks,
  normalizers,
  scores,
} from './index.ts';

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
};

const query = [
  [1, 0],
  [0, 1],
  [1, 1],
];
const value = [[1], [2], [4]];

/** What `new WebAssembly.Module` does under a content security policy. */
function forbidden(): never {
  throw new EvalError("Refused to compile WebAssembly because 'wasm-eval' is not allowed");
}

describe('createHeed', () => {
  it('attends by name, with softmax and no mask unless told', async () => {
    const heed = await createHeed();
    const [q, v] = [heed.tensor(query), heed.tensor(value)];
    const context = heed.attention({ score: 'dot' })(q, q, v);
    const e = Math.E;
    const expected = [
      [(e * 1 + 2 + e * 4) / (2 * e + 1)],
      [(1 + e * 2 + e * 4) / (2 * e + 1)],
      [(e * 1 + e * 2 + e * e * 4) / (2 * e + e * e)],
    ];
    const got = (await context.toNested()) as number[][];
    for (const [i, [one]] of expected.entries()) expect(got[i]?.[0]).toBeCloseTo(one as number, 6);
    expect(heed.attention({ score: 'dot' }).label).toBe('dot | softmax');
    expect(heed.attention({ score: 'dot', mask: 'causal', normalizer: 'sparsemax' }).label).toBe(
      'dot | causal | sparsemax',
    );
    await heed.close();
  });

  it('runs on the backend it was asked for, and says so', async () => {
    const heed = await createHeed({ backend: ['reference'] });
    expect([heed.device.name, heed.passedOver]).toEqual(['reference', []]);
    await heed.close();
    expect(() => heed.tensor([1])).toThrow(HeedError);
  });

  it('opens the cpu unless told, and nothing in its place', async () => {
    const heed = await createHeed();
    expect([heed.device.name, heed.passedOver]).toEqual(['cpu', []]);
    await heed.close();
    for (const [engine, reason] of [
      [undefined, 'has no WebAssembly'],
      [{ Module: forbidden }, "'wasm-unsafe-eval' in script-src"],
    ] as const) {
      vi.stubGlobal('WebAssembly', engine);
      const opening = createHeed();
      await expect(opening).rejects.toThrow(HeedError);
      await expect(opening).rejects.toThrow(reason);
      await expect(opening).rejects.toThrow('reference() of @heed/reference');
      vi.unstubAllGlobals();
    }
  });

  it('refuses a backend that it does not have', async () => {
    // @ts-expect-error: there is none
    const opening = createHeed({ backend: 'webgl' });
    await expect(opening).rejects.toThrow(
      'backend: there is no backend "webgl" in this registry. Registered: cpu, reference, webgpu.',
    );
  });

  it('makes parameters and follows gradients to them', async () => {
    const heed = await createHeed();
    const attend = heed.attention({ score: { name: 'additive', hidden: 3 } });
    const params = heed.parameters(attend, { seed: 1, sizes: { queryFeature: 2, keyFeature: 2 } });
    expect(Object.keys(params)).toEqual(['w', 'u', 'v']);
    const [q, v] = [heed.tensor(query), heed.tensor(value)];
    heedModule.ops.sum(attend(q, q, v, { params })).backward();
    expect((await params.v?.gradient?.read())?.some((one) => one !== 0)).toBe(true);
    await heed.close();
  });

  it('reads data of unknown origin', async () => {
    const heed = await createHeed();
    expect(heed.fromJSON({ score: 'dot', mask: { name: 'window', left: 1, right: 0 } }).label).toBe(
      'dot | window(left: 1, right: 0) | softmax',
    );
    expect(message(() => heed.fromJSON({ score: { name: 'additive', hiden: 3 } }))).toMatchInlineSnapshot(
      `"NameError: attention.score.hiden does not exist. Did you mean "hidden"? additive takes bias, normalized, hidden."`,
    );
    expect(message(() => heed.fromJSON('dot'))).toMatchInlineSnapshot(
      `"DTypeError: attention: expected an object such as { score: 'dot', normalizer: 'softmax' }, got "dot"."`,
    );
    await heed.close();
  });

  it('makes layers by name, with parts by name', async () => {
    const heed = await createHeed({ backend: 'reference' });
    const layer = heed.layer({
      variant: 'multi-head',
      width: 4,
      heads: 2,
      score: { name: 'additive', hidden: 3 },
      mask: 'causal',
      modifiers: [masks.softcap()],
      normalizer: 'sparsemax',
      seed: 1,
    });
    expect(layer.label).toBe(
      'multi-head(width: 4, heads: 2, score: additive(hidden: 3), mask: causal, modifiers: [softcap], normalizer: sparsemax)',
    );
    const { weights } = layer(
      heed.tensor([
        [1, 2, 3, 4],
        [4, 3, 2, 1],
      ]),
      { weights: true },
    );
    expectTypeOf(weights).toEqualTypeOf<heedModule.Tensor>();
    expect(weights.shape).toEqual([2, 2, 2]);
    const same = heed.layerFromJSON(
      JSON.parse('{ "variant": "additive", "queryWidth": 2, "memoryWidth": 3, "hidden": 4, "seed": 1 }'),
    );
    expect(String((same as typeof layer).label)).toBe('additive(queryWidth: 2, memoryWidth: 3, hidden: 4)');
    const small = { variant: 'multi-head', width: 4, heads: 2, seed: 1 } as const;
    const cases: Record<string, () => unknown> = {
      // @ts-expect-error: there is none
      'no such variant': () => heed.layer({ variant: 'multihead', width: 4, heads: 2, seed: 1 }),
      // @ts-expect-error: there is none
      'no such score': () => heed.layer({ ...small, score: 'aditive' }),
      // @ts-expect-error: there is none
      'no such option': () => heed.layer({ variant: 'multi-head', width: 4, haeds: 2, seed: 1 }),
      'no variant': () => heed.layerFromJSON({ width: 4 }),
      'a score that this variant does not take': () =>
        heed.layerFromJSON({
          variant: 'additive',
          queryWidth: 2,
          memoryWidth: 3,
          hidden: 4,
          score: 'dot',
          seed: 1,
        }),
      'an option of a part': () =>
        heed.layerFromJSON({
          variant: 'multi-head',
          width: 4,
          heads: 2,
          mask: { name: 'window', left: -1, right: 0 },
        }),
    };
    expect(
      Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, message(run)])),
    ).toMatchInlineSnapshot(`
      {
        "a score that this variant does not take": "NameError: additive: the option "score" does not exist. It takes queryWidth, memoryWidth, hidden, bias, normalized, coverage, start, mask, modifiers, normalizer, reweight, dropout, seed, dtype, parameters.",
        "an option of a part": "ValueError: layer.mask.left expects a whole number of at least 0, got -1.",
        "no such option": "NameError: multi-head: the option "haeds" does not exist. Did you mean "heads"? It takes width, heads, keyHeads, keyWidth, valueWidth, headWidth, valueHeadWidth, out, bias, outputBias, learnedKey, zeroKey, rotary, queryKeyNorm, talkingHeads, relativeValues, score, mask, modifiers, normalizer, reweight, dropout, seed, dtype, parameters.",
        "no such score": "NameError: layer.score: there is no score "aditive" in this registry. Did you mean "additive"? Registered: additive, combination, concat, cosine, coverage, dot, gaussian, general, l2-distance, laplace, linear, location-base, location-sensitive, mlp, scaled-dot, trilinear.",
        "no such variant": "NameError: layer.variant: there is no variant "multihead" in this registry. Did you mean "multi-head"? Registered: additive, augmented-convolution, bidirectional, co-attention, directional, feature-pooling, image, local, multi-head, multiplicative, neighborhood, pooling, self.",
        "no variant": "DTypeError: layer: expected an object such as { variant: 'multi-head', ... }, got {"width":4}.",
      }
    `);
    await heed.close();
  });

  it('grows by a plugin, on the same device', async () => {
    const { abs, neg, sub, sum } = formula;
    const manhattan = defineScore({ name: 'manhattan', score: ({ q, k }) => neg(sum(abs(sub(q, k)))) });
    const heed = await createHeed();
    const more = heed.use({ name: '@me/scores', scores: [manhattan] });
    expect(more.device).toBe(heed.device);
    expect(more.attention({ score: 'manhattan' }).label).toBe('manhattan | softmax');
    // @ts-expect-error: only the new one has it
    expect(() => heed.attention({ score: 'manhattan' })).toThrow(HeedError);
    expect(message(() => more.use(manhattan))).toMatchInlineSnapshot(
      `"NameError: the score "manhattan" is in "@me/scores" and in "use(manhattan)". Use one of the two, or define yours under another name."`,
    );
    await heed.close();
  });
});

describe('the default registry', () => {
  it('has every part that the packages export', () => {
    const exported = [scores, masks, normalizers].flatMap((module) =>
      Object.values(module).flatMap((one) =>
        typeof one === 'function' && 'partName' in one ? [`${one.kind} ${one.partName}`] : [],
      ),
    );
    expect(defaultRegistry.parts.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(exported.sort());
  });

  it('has every variant that the umbrella exports', () => {
    const attending = Object.values(layers).flatMap((one) =>
      typeof one === 'function' && 'layerName' in one && 'normalizer' in one.defaults ? [one.layerName] : [],
    );
    expect(defaultRegistry.variants.map(({ name }) => name).sort()).toEqual(attending.sort());
  });

  it('agrees with what the registry says of packages that were not used', () => {
    for (const { kind, name, origin } of defaultRegistry.parts)
      expect([name, packageOf(kind, name)]).toEqual([name, origin]);
    for (const { name, origin } of defaultRegistry.variants) expect(packageOf('variant', name)).toBe(origin);
    for (const name of defaultRegistry.backends) expect(packageOf('backend', name)).toBe(`@heed/${name}`);
  });

  it('types its names', () => {
    type Score = Extract<Parameters<typeof defaultRegistry.attention>[0]['score'], string>;
    expectTypeOf<Score>().toEqualTypeOf<
      | 'additive'
      | 'concat'
      | 'cosine'
      | 'coverage'
      | 'dot'
      | 'gaussian'
      | 'general'
      | 'l2-distance'
      | 'laplace'
      | 'linear'
      | 'location-base'
      | 'location-sensitive'
      | 'mlp'
      | 'scaled-dot'
      | 'trilinear'
    >();
  });
});

describe('the exports', () => {
  it('keep formulas and operations apart', () => {
    expect(heedModule.formula.add).not.toBe(heedModule.ops.add);
    expect(heedModule).not.toHaveProperty('add');
  });
});
