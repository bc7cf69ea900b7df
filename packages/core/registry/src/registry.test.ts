import { defineMask, defineScore, option } from '@heed/attention';
import { mul, dot as product, tanh } from '@heed/expr';
import { alibi, causal, localGaussian, window } from '@heed/masks';
import { entmax, softmax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { additive, dot, scaledDot } from '@heed/scores';
import { BackendError, type BackendPlugin, HeedError } from '@heed/tensor';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type AttentionChoice, type CatalogOf, createRegistry, lazyBackend, type Plugin } from './index.ts';

const registry = createRegistry()
  .use({ name: '@heed/scores', scores: [additive, dot, scaledDot] })
  .use({ name: '@heed/masks', masks: [causal, window], modifiers: [alibi], reweights: [localGaussian] })
  .use({ name: '@heed/normalizers', normalizers: [softmax, entmax] });

type Choice = AttentionChoice<CatalogOf<typeof registry>>;

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
  return 'nothing was thrown';
};
const rejection = async (run: () => Promise<unknown>): Promise<string> => {
  const problem: unknown = await run().then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  return problem instanceof HeedError ? `${problem.name}: ${problem.message}` : String(problem);
};

describe('createRegistry', () => {
  it('composes an attention from names, names with options, and values', () => {
    expect(registry.attention({ score: 'dot', normalizer: 'softmax' }).label).toBe('dot | softmax');
    expect(
      registry.attention({
        score: { name: 'additive', hidden: 32 },
        modifiers: ['alibi'],
        mask: ['causal', window({ left: 3, right: 0 })],
        normalizer: softmax({ sink: 'zero' }),
        reweight: [{ name: 'local-gaussian', sigma: 2 }],
      }).label,
    ).toBe(
      "additive(hidden: 32) | alibi | causal | window(left: 3, right: 0) | softmax(sink: 'zero') | local-gaussian(sigma: 2)",
    );
  });

  it('gives what the values give', () => {
    const { score } = registry.resolve({ score: { name: 'additive', hidden: 8 }, normalizer: 'softmax' });
    expect({ ...score, refuse: null }).toEqual({ ...additive({ hidden: 8 }), refuse: null });
  });

  it('stays as it is when something is used', () => {
    const before = createRegistry();
    const after = before.use(dot);
    expect(before.parts).toEqual([]);
    expect(after.parts).toEqual([{ kind: 'score', name: 'dot', origin: 'use(dot)', defaults: {} }]);
  });

  it('lists its parts with their defaults', () => {
    expect(registry.parts.filter(({ kind }) => kind === 'normalizer')).toEqual([
      { kind: 'normalizer', name: 'softmax', origin: '@heed/normalizers', defaults: { sink: 'none' } },
      { kind: 'normalizer', name: 'entmax', origin: '@heed/normalizers', defaults: { alpha: undefined } },
    ]);
  });
});

describe('names that are taken', () => {
  const mine = defineScore({ name: 'dot', score: ({ q, k }) => tanh(product(q, k)) });

  it('are refused with both origins', () => {
    expect(message(() => registry.use({ name: '@me/scores', scores: [mine] }))).toMatchInlineSnapshot(
      `"NameError: the score "dot" is in "@heed/scores" and in "@me/scores". Use one of the two, or define yours under another name."`,
    );
    expect(message(() => registry.use(mine))).toMatchInlineSnapshot(
      `"NameError: the score "dot" is in "@heed/scores" and in "use(dot)". Use one of the two, or define yours under another name."`,
    );
    expect(message(() => registry.use({ name: '@heed/scores', scores: [dot] }))).toMatchInlineSnapshot(
      `"NameError: the score "dot" is in "@heed/scores" twice. Use each plugin once, and give each of its parts a name of its own."`,
    );
    expect(
      message(() =>
        createRegistry()
          .use(reference())
          .use({ name: '@me/gpu', backends: [reference()] }),
      ),
    ).toMatchInlineSnapshot(
      `"NameError: the backend "reference" is in "use(reference)" and in "@me/gpu". Use one of the two, or define yours under another name."`,
    );
  });

  it('are free in another kind', () => {
    const both = registry.use(defineMask({ name: 'dot', allowed: () => true }));
    expect(both.attention({ score: 'dot', mask: 'dot', normalizer: 'softmax' }).label).toBe(
      'dot | dot | softmax',
    );
  });
});

describe('names that do not exist', () => {
  it.each<[string, unknown]>([
    ['a slip', { score: 'aditive', normalizer: 'softmax' }],
    ['a part of a package that was not used', { score: 'cosine', normalizer: 'softmax' }],
    ['a part of another kind', { score: 'dot', mask: 'softmax', normalizer: 'softmax' }],
    ['in a list', { score: 'dot', mask: ['causal', 'windoww'], normalizer: 'softmax' }],
    ['a key', { score: 'dot', masks: 'causal', normalizer: 'softmax' }],
    ['an option', { score: { name: 'additive', hiden: 3 }, normalizer: 'softmax' }],
    ['an option of a part without any', { score: { name: 'dot', scale: 3 }, normalizer: 'softmax' }],
  ])('are refused: %s', (what, choice) => {
    expect(message(() => registry.fromJSON(choice))).toMatchSnapshot(what);
  });

  it('are refused among backends before any is opened', async () => {
    let opened = 0;
    const counting: BackendPlugin<'counting'> = {
      kind: 'backend',
      name: 'counting',
      open: () => {
        opened++;
        return reference().open();
      },
    };
    const some = createRegistry().use(counting);
    // @ts-expect-error: no such backend
    const choice: Parameters<typeof some.open>[0] = ['counting', 'countin'];
    expect(await rejection(() => some.open(choice))).toMatchInlineSnapshot(
      `"NameError: backend: there is no backend "countin" in this registry. Did you mean "counting"? Registered: counting."`,
    );
    expect(opened).toBe(0);
  });
});

describe('fromJSON', () => {
  it('reads names and options', () => {
    const config: unknown = JSON.parse(
      '{"score": {"name": "additive", "hidden": 32}, "mask": [{"name": "window", "left": 2, "right": 0}, "causal"], "normalizer": {"name": "entmax", "alpha": 1.25}, "dropout": 0.1}',
    );
    expect(registry.fromJSON(config).label).toBe(
      'additive(hidden: 32) | window(left: 2, right: 0) | causal | entmax(alpha: 1.25)',
    );
  });

  it.each<[string, unknown]>([
    ['no object', 'dot'],
    ['a list', []],
    ['no score', { normalizer: 'softmax' }],
    ['no normalizer', { score: 'dot' }],
    ['a number for a part', { score: 3, normalizer: 'softmax' }],
    ['a description without a name', { score: { hidden: 32 }, normalizer: 'softmax' }],
    ['one modifier, not in a list', { score: 'dot', modifiers: 'alibi', normalizer: 'softmax' }],
    ['an option of another type', { score: { name: 'additive', hidden: 'big' }, normalizer: 'softmax' }],
    [
      'an option out of range',
      { score: 'dot', mask: [{ name: 'window', left: -1, right: 0 }], normalizer: 'softmax' },
    ],
    ['an option that must be given', { score: 'dot', mask: 'window', normalizer: 'softmax' }],
    [
      'options that do not go together',
      { score: 'dot', mask: { name: 'causal', align: 'end', offset: 2 }, normalizer: 'softmax' },
    ],
    ['dropout that is no number', { score: 'dot', normalizer: 'softmax', dropout: 'some' }],
    ['dropout out of range', { score: 'dot', normalizer: 'softmax', dropout: 1 }],
    ['a value', { score: dot(), normalizer: 'softmax' }],
  ])('refuses %s', (what, config) => {
    expect(message(() => registry.fromJSON(config))).toMatchSnapshot(what);
  });
});

describe('attention', () => {
  it('refuses values of another kind', () => {
    // @ts-expect-error: a normalizer is no score
    expect(message(() => registry.attention({ score: softmax(), normalizer: 'softmax' }))).toMatch(
      /^DTypeError: .*a score/,
    );
    // @ts-expect-error: a factory must be called
    expect(message(() => registry.attention({ score: dot, normalizer: 'softmax' }))).toMatch(
      /^DTypeError: .*a score/,
    );
  });
});

describe('use', () => {
  it.each<[string, unknown]>([
    ['a part that was made already', dot()],
    ['a plain function', () => dot()],
    ['nothing', undefined],
    ['a plugin without a name', { scores: [dot] }],
    ['a plugin with a slip', { name: '@me/x', score: [dot] }],
    ['a factory of another kind', { name: '@me/x', masks: [dot] }],
    ['a part where a factory belongs', { name: '@me/x', scores: [dot()] }],
    ['a backend that is none', { name: '@me/x', backends: [dot] }],
    [
      'an option called name',
      defineScore({
        name: 'x',
        options: { name: option.boolean({ default: true }) },
        score: ({ q, k }) => product(q, k),
      }),
    ],
  ])('refuses %s', (what, addition) => {
    expect(message(() => registry.use(addition as Plugin))).toMatchSnapshot(what);
  });
});

describe('open', () => {
  const missing: BackendPlugin<'missing'> = {
    kind: 'backend',
    name: 'missing',
    open: () => Promise.reject(new BackendError('this machine has no such device.')),
  };
  const broken: BackendPlugin<'broken'> = {
    kind: 'backend',
    name: 'broken',
    open: () => Promise.reject(new TypeError('a fault')),
  };
  const lost = lazyBackend('lost', () => Promise.reject(new Error('no such package')));
  const lazy = lazyBackend('lazy', async () => reference());
  const all = createRegistry().use({ name: 'test', backends: [missing, broken, lost, lazy] });

  it('goes along the list and says what was passed over', async () => {
    const { device, passedOver } = await all.open(['missing', 'lost', 'lazy', 'broken']);
    expect(device.name).toBe('reference');
    expect(passedOver).toEqual([
      { name: 'missing', reason: 'this machine has no such device.' },
      { name: 'lost', reason: 'its package could not be loaded: no such package' },
    ]);
    await device.close();
  });

  it('takes a backend as a value', async () => {
    const { device, passedOver } = await createRegistry().open(reference());
    expect([device.name, passedOver]).toEqual(['reference', []]);
    await device.close();
  });

  it('does not go beyond the list, and lists every reason', async () => {
    expect(await rejection(() => all.open(['missing', 'lost']))).toMatchInlineSnapshot(`
      "BackendError: none of these backends can be opened here:
        missing: this machine has no such device.
        lost: its package could not be loaded: no such package"
    `);
    expect(await rejection(() => all.open([]))).toMatchInlineSnapshot(
      `"BackendError: none of these backends can be opened here: the list is empty."`,
    );
  });

  it('lets faults through', async () => {
    expect(await rejection(() => all.open(['broken', 'lazy']))).toBe('TypeError: a fault');
  });
});

describe('the types', () => {
  it('know the names that were used', () => {
    expectTypeOf<Extract<Choice['score'], string>>().toEqualTypeOf<'additive' | 'dot' | 'scaled-dot'>();
    // `window` and `entmax` have options without defaults, so their bare names are not enough.
    expectTypeOf<Extract<Choice['mask'], string>>().toEqualTypeOf<'causal'>();
    expectTypeOf<Extract<Choice['normalizer'], string>>().toEqualTypeOf<'softmax'>();
    expectTypeOf<CatalogOf<typeof registry>['backends']>().toEqualTypeOf<never>();
  });

  it('know the options of each name', () => {
    type Additive = Extract<Choice['score'], { readonly name: 'additive' }>;
    expectTypeOf<keyof Additive>().toEqualTypeOf<'name' | 'hidden' | 'bias' | 'normalized'>();
    expectTypeOf<Additive['hidden']>().toEqualTypeOf<number | undefined>();
    type Window = Extract<Choice['mask'], { readonly name: 'window' }>;
    expectTypeOf<Window['left']>().toEqualTypeOf<number>();
    expectTypeOf<Window['align']>().toEqualTypeOf<'same' | 'start' | 'end' | 'lengths' | undefined>();
  });

  it('refuse what the door refuses', () => {
    const wrong = (): readonly unknown[] => [
      // @ts-expect-error: a slip in the name
      registry.attention({ score: 'aditive', normalizer: 'softmax' }),
      // @ts-expect-error: a name of another kind
      registry.attention({ score: 'causal', normalizer: 'softmax' }),
      // @ts-expect-error: an option that does not exist
      registry.attention({ score: { name: 'additive', hiden: 3 }, normalizer: 'softmax' }),
      // @ts-expect-error: an option of a part that has none
      registry.attention({ score: { name: 'dot', scale: 3 }, normalizer: 'softmax' }),
      // @ts-expect-error: an option of another type
      registry.attention({ score: { name: 'additive', hidden: 'big' }, normalizer: 'softmax' }),
      // @ts-expect-error: an option that must be given
      registry.attention({ score: 'dot', mask: 'window', normalizer: 'softmax' }),
      // @ts-expect-error: an option that must be given
      registry.attention({ score: 'dot', mask: { name: 'window', left: 1 }, normalizer: 'softmax' }),
      // @ts-expect-error: a word that the option does not take
      registry.attention({ score: 'dot', mask: { name: 'causal', align: 'middle' }, normalizer: 'softmax' }),
      // @ts-expect-error: the normalizer must be given
      registry.attention({ score: 'dot' }),
      // @ts-expect-error: a slip in a key
      registry.attention({ score: 'dot', masks: 'causal', normalizer: 'softmax' }),
    ];
    expect(wrong).toThrow();
  });

  it('grow with what is used', () => {
    const curved = defineScore({
      name: 'curved',
      options: { curvature: option.number({ default: 1 }) },
      score: ({ q, k }, { curvature }) => mul(tanh(product(q, k)), curvature),
    });
    const more = registry.use({ name: '@me/curved', scores: [curved] }).use(reference());
    expect(more.attention({ score: { name: 'curved', curvature: 2 }, normalizer: 'softmax' }).label).toBe(
      'curved(curvature: 2) | softmax',
    );
    expectTypeOf<CatalogOf<typeof more>['backends']>().toEqualTypeOf<'reference'>();
    // @ts-expect-error: not used here
    expect(() => registry.attention({ score: 'curved', normalizer: 'softmax' })).toThrow(HeedError);
  });
});
