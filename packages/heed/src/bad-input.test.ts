// Every option and tensor of every part and every layer, given wrongly: what people are told. Read what changes in the snapshot as
// a person who has made the mistake.

import type { Option, Part } from '@heed/attention';
import { sizeOf, type Type } from '@heed/expr';
import type { AnyLayerFactory } from '@heed/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createHeed,
  type DefaultCatalog,
  type Heed,
  HeedError,
  layers,
  masks,
  normalizers,
  ops,
  scores,
  type Tensor,
} from './index.ts';
import {
  maskSamples,
  modifierSamples,
  normalizerSamples,
  reweightSamples,
  scoreSamples,
} from './samples.fixture.ts';

let heed: Heed<DefaultCatalog>;
beforeAll(async () => {
  heed = await createHeed({ backend: 'reference' });
});
afterAll(() => heed.close());

const message = (run: () => unknown): string | null => {
  try {
    run();
    return null;
  } catch (problem) {
    if (problem instanceof HeedError) return `${problem.name}: ${problem.message}`;
    throw problem;
  }
};

const samples = {
  score: scoreSamples,
  mask: maskSamples,
  modifier: modifierSamples,
  normalizer: normalizerSamples,
  reweight: reweightSamples,
};
const kinds = Object.keys(samples) as (keyof typeof samples)[];

interface Maker {
  (choice: object): Part;
  readonly kind: string;
  readonly partName: string;
  readonly defaults: Readonly<Record<string, unknown>>;
}
const makers = [scores, masks, normalizers]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter((one): one is Maker => typeof one === 'function' && 'partName' in one);
const layerMakers = (Object.values(layers) as unknown[]).filter(
  (one): one is AnyLayerFactory => typeof one === 'function' && 'layerName' in one,
);

/** What must be given to a part, so that another option may be wrong. */
const needed: Readonly<Record<string, object>> = {
  'block-local': { block: 2 },
  combination: { terms: ['q'] },
  dilated: { stride: 2 },
  entmax: { alpha: 2 },
  'fixed-sparse': { stride: 2, summary: 1 },
  'global-prefix': { positions: 1 },
  'global-window': { window: 1, global: [0] },
  local: { window: 1 },
  'random-blocks': { block: 2, draws: 1 },
  'relative-grid': { height: 2, width: 2 },
  'relative-table': { max: 2 },
  strided: { stride: 2 },
  neighborhood: { height: 2, width: 3, size: 1 },
  window: { left: 1, right: 1 },
};

/** What a layer needs that the first value of the right type is not. */
const fitting: Readonly<Record<string, object>> = {
  'augmented-convolution': { attended: 2, size: 3 },
  convolution: { size: 3 },
  neighborhood: { size: 3 },
};

/** What must be given to a layer: the first of some values that each option takes. */
const filled = ({ definition, layerName }: AnyLayerFactory): object => ({
  ...Object.fromEntries(
    Object.entries(definition.options as Readonly<Record<string, Option<unknown>>>).flatMap(
      ([name, { presence, accepts }]) =>
        presence === 'needed' ? [[name, [4, 0.5, true].find(accepts)]] : [],
    ),
  ),
  ...fitting[layerName],
});

/** Makes a layer with something else than it needs. */
const layerWith = (make: AnyLayerFactory, choice: object) =>
  make(heed.device, { ...filled(make), seed: 1, ...choice } as never);

interface Subject {
  readonly name: string;
  readonly knobs: readonly string[];
  readonly make: (choice: object) => unknown;
}
const subjects: Readonly<Record<string, readonly Subject[]>> = {
  ...Object.fromEntries(
    kinds.map((kind) => [
      kind,
      makers
        .filter((maker) => maker.kind === kind)
        .map((maker) => ({
          name: maker.partName,
          knobs: Object.keys(maker.defaults),
          make: (choice: object) => maker({ ...needed[maker.partName], ...choice }),
        })),
    ]),
  ),
  layer: layerMakers.map((maker) => ({
    name: maker.layerName,
    knobs: Object.keys(maker.defaults),
    make: (choice: object) => layerWith(maker, choice),
  })),
};

/** A sentence up to what was given. */
const expected = (one: string): string => one.replace(/, got .*$/s, '');

/** What an option is told of a value of another type, and of the first of some that are out of its range. */
function told({ name, make }: Subject, knob: string): string[] {
  const given = (value: unknown) => message(() => make({ [knob]: value }));
  const [type, range] = [
    given({ no: 'value' }),
    [1.5, -1, 0, Number.POSITIVE_INFINITY].map(given).find((one) => one !== null),
  ];
  // Of this option, and not of another that is missing.
  for (const one of [type, range])
    expect([name, one]).toEqual([name, expect.stringContaining(`the option "${knob}" expects `)]);
  return expected(type as string) === expected(range as string)
    ? [range as string]
    : [type as string, range as string];
}

describe('options', () => {
  it.each(Object.keys(subjects))('of each %s', (kind) => {
    const all = subjects[kind] ?? [];
    expect(all.length).toBeGreaterThan(0);
    expect(all.flatMap((one) => one.knobs.flatMap((knob) => told(one, knob)))).toMatchSnapshot();
  });

  it('are all in a table', () => {
    const wanting = makers.filter(
      (maker) => message(() => maker({ ...needed[maker.partName] }))?.includes('must be given') ?? false,
    );
    expect(wanting.map(({ partName }) => partName)).toEqual([]);
  });

  it('of another type', () => {
    expect([
      message(() => scores.mlp({ layers: '2' as never })),
      message(() => scores.general({ activation: true as never })),
      message(() => scores.combination({ terms: 'q' as never })),
      message(() => masks.causal('end' as never)),
      message(() => masks.globalWindow({ window: 1, global: 3 as never })),
      message(() => normalizers.softmax({ sink: 0 as never })),
      message(() => normalizers.entmax({ alpha: null as never })),
      message(() => masks.alibi({ slopes: [1] } as never)),
    ]).toMatchInlineSnapshot(`
      [
        "ValueError: score "mlp": the option "layers" expects a whole number of at least 1 and at most 4, got '2'.",
        "ValueError: score "general": the option "activation" expects one of 'none', 'tanh', 'relu', 'gelu', 'sigmoid', got true.",
        "ValueError: score "combination": the option "terms" expects a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, got 'q'.",
        "DTypeError: mask "causal": expected its options as an object such as causal({ align: 'same' }), got 'end'.",
        "ValueError: mask "global-window": the option "global" expects a list of whole numbers of at least 0, got 3.",
        "ValueError: normalizer "softmax": the option "sink" expects one of 'none', 'zero', 'learned', 'given', got 0.",
        "ValueError: normalizer "entmax": the option "alpha" expects a finite number above 1, got null.",
        "NameError: modifier "alibi": the option "slopes" does not exist. Did you mean "slope"? alibi takes align, slope, distance, offset.",
      ]
    `);
  });
});

const length = { batch: 1, head: 1, keyHead: 1, query: 3, key: 3 };
const sizes = {
  ...{ feature: 2, queryFeature: 2, keyFeature: 2, valueFeature: 2, hidden: 3, channels: 2 },
  ...{ distances: 5, positions: 6 },
};
interface Declared {
  readonly type: Type;
  readonly along: readonly (keyof typeof length)[];
}

const shapeOf = ({ type, along }: Declared): number[] => [
  ...along.map((axis) => length[axis]),
  ...Array.from({ length: type.lookups }, () => 5),
  ...type.dims.map((dim) => sizeOf(dim, sizes) as number),
];
const filledWith = (shape: readonly number[], element: Type['element']): Tensor =>
  element === 'bool'
    ? ops.full(heed.device, [...shape], true)
    : ops.zeros(heed.device, [...shape], { dtype: element === 'int' ? 'int32' : 'float32' });

/** What a call says of each tensor of a part, where it is of another shape; and that it is of another element is said, too. */
function toldOfTensors(kind: keyof typeof samples, part: Part): string[] {
  const option = {
    score: 'score',
    mask: 'mask',
    modifier: 'modifiers',
    normalizer: 'normalizer',
    reweight: 'reweight',
  };
  const several = kind === 'modifier' || kind === 'reweight';
  const attend = heed.attention({ score: 'dot', [option[kind]]: several ? [part] : part } as never);
  const declared = { ...part.params, ...part.inputs } as Readonly<Record<string, Declared>>;
  const x = ops.zeros(heed.device, [1, 1, 3, 2]);
  const call = (name: string, change: Tensor) => {
    const given = Object.fromEntries(
      Object.entries(declared).map(([one, is]) => [one, filledWith(shapeOf(is), is.type.element)]),
    );
    given[name] = change;
    const among = (names: object) =>
      Object.fromEntries(Object.keys(names).map((one) => [one, given[one] as Tensor]));
    return message(() => attend(x, x, x, { params: among(part.params), inputs: among(part.inputs) }));
  };
  return Object.entries(declared).map(([name, is]) => {
    const misshapen = call(name, filledWith([...shapeOf(is), 7], is.type.element));
    const mistyped = call(name, filledWith(shapeOf(is), is.type.element === 'float' ? 'bool' : 'float'));
    expect([part.label, misshapen]).toEqual([
      part.label,
      expect.stringContaining(`ShapeError: attention: "${name}" must be `),
    ]);
    expect([part.label, mistyped]).toEqual([
      part.label,
      expect.stringContaining(`DTypeError: attention: "${name}" is declared as `),
    ]);
    return misshapen as string;
  });
}

describe('tensors', () => {
  it.each(kinds)('of each %s', (kind) => {
    expect(Object.values(samples[kind]).flatMap((part) => toldOfTensors(kind, part))).toMatchSnapshot();
  });

  it('of each layer', () => {
    const told = layerMakers.flatMap((maker) => {
      const { parameters } = layerWith(maker, {}) as {
        readonly parameters: Readonly<Record<string, Tensor>>;
      };
      return Object.entries(parameters).map(([path, { shape }]) => {
        const given = (one: Tensor) => message(() => layerWith(maker, { parameters: { [path]: one } }));
        expect([maker.layerName, given(filledWith(shape, 'bool'))]).toEqual([
          maker.layerName,
          expect.stringContaining(`: "${path}" expects floats, got `),
        ]);
        return given(filledWith([...shape, 7], 'float')) ?? `taken: ${maker.layerName}: ${path}`;
      });
    });
    expect(told.filter((one) => one.startsWith('taken'))).toEqual([]);
    expect(told).toMatchSnapshot();
  });
});
