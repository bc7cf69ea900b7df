// Every option, tensor and number of every part, given wrongly: what people are told. Read what changes here as a person who
// has made the mistake.

import type { Part } from '@heed/attention';
import { sizeOf, type Type } from '@heed/expr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createHeed,
  type DefaultCatalog,
  type Heed,
  HeedError,
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

interface Maker {
  (choice: object): Part;
  readonly kind: string;
  readonly partName: string;
  readonly defaults: Readonly<Record<string, unknown>>;
}
const makers = [scores, masks, normalizers]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter((one): one is Maker => typeof one === 'function' && 'partName' in one);

/** What must be given, so that another option may be wrong. */
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
  window: { left: 1, right: 1 },
};

/** What each option is told of a value of another type, and of the first of some numbers that it does not take. */
const told = (kind: string): string[] =>
  makers
    .filter((maker) => maker.kind === kind && Object.keys(maker.defaults).length > 0)
    .flatMap((maker) =>
      Object.keys(maker.defaults).flatMap((knob) => {
        const given = (value: unknown) => message(() => maker({ ...needed[maker.partName], [knob]: value }));
        const type = given({ no: 'value' });
        const range = [1.5, -1, 0, Number.POSITIVE_INFINITY].map(given).find((one) => one !== null);
        expect([maker.partName, knob, type === null]).toEqual([maker.partName, knob, false]);
        expect([maker.partName, knob, range === undefined]).toEqual([maker.partName, knob, false]);
        return [range as string];
      }),
    );

describe('options', () => {
  it('of scores', () => {
    expect(told('score')).toMatchInlineSnapshot(`
      [
        "ValueError: score "additive": the option "bias" expects true or false, got 1.5.",
        "ValueError: score "additive": the option "normalized" expects true or false, got 1.5.",
        "ValueError: score "additive": the option "hidden" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "combination": the option "terms" expects a list of at least one of 'q', 'k', 'q*k', 'q+k', 'q-k', 'q/k', none twice, got 1.5.",
        "ValueError: score "combination": the option "bias" expects true or false, got 1.5.",
        "ValueError: score "combination": the option "activation" expects one of 'none', 'tanh', 'relu', 'gelu', 'sigmoid', got 1.5.",
        "ValueError: score "concat": the option "hidden" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "cosine": the option "strength" expects one of 'beta', 'given', got 1.5.",
        "ValueError: score "cosine": the option "beta" expects a finite number, got Infinity.",
        "ValueError: score "coverage": the option "hidden" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "gaussian": the option "bandwidth" expects a finite number above 0, got -1.",
        "ValueError: score "general": the option "bias" expects true or false, got 1.5.",
        "ValueError: score "general": the option "keyBias" expects true or false, got 1.5.",
        "ValueError: score "general": the option "activation" expects one of 'none', 'tanh', 'relu', 'gelu', 'sigmoid', got 1.5.",
        "ValueError: score "l2-distance": the option "squared" expects true or false, got 1.5.",
        "ValueError: score "l2-distance": the option "scale" expects a finite number, got Infinity.",
        "ValueError: score "laplace": the option "bandwidth" expects a finite number above 0, got -1.",
        "ValueError: score "linear": the option "bias" expects true or false, got 1.5.",
        "ValueError: score "location-base": the option "positions" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "location-sensitive": the option "hidden" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "location-sensitive": the option "channels" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "mlp": the option "layers" expects a whole number of at least 1 and at most 4, got 1.5.",
        "ValueError: score "mlp": the option "activation" expects one of 'tanh', 'relu', 'gelu', 'sigmoid', got 1.5.",
        "ValueError: score "mlp": the option "hidden" expects a whole number of at least 1, got 1.5.",
        "ValueError: score "scaled-dot": the option "scale" expects a finite number, got Infinity.",
        "ValueError: score "trilinear": the option "bias" expects true or false, got 1.5.",
      ]
    `);
  });
  it('of masks', () => {
    expect(told('mask')).toMatchInlineSnapshot(`
      [
        "ValueError: mask "block-local": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "block-local": the option "block" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "block-local": the option "neighbours" expects a whole number of at least 0, got 1.5.",
        "ValueError: mask "block-local": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "causal": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "causal": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "dilated": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "dilated": the option "stride" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "dilated": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "fixed-sparse": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "fixed-sparse": the option "stride" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "fixed-sparse": the option "summary" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "fixed-sparse": the option "factor" expects one of 'both', 'local', 'summary', got 1.5.",
        "ValueError: mask "fixed-sparse": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "global-prefix": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "global-prefix": the option "positions" expects a whole number of at least 0, got 1.5.",
        "ValueError: mask "global-prefix": the option "side" expects one of 'both', 'keys', got 1.5.",
        "ValueError: mask "global-prefix": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "global-window": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "global-window": the option "window" expects a whole number of at least 0, got 1.5.",
        "ValueError: mask "global-window": the option "global" expects a list of whole numbers of at least 0, got 1.5.",
        "ValueError: mask "global-window": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "local": the option "window" expects a finite number of at least 0, got -1.",
        "ValueError: mask "neighborhood": the option "height" expects a whole number of at least 1, got 1.5.",
        "NameError: mask "neighborhood": the option "height" must be given: expected a whole number of at least 1, as in neighborhood({ height: ..., width: ..., size: ... }).",
        "NameError: mask "neighborhood": the option "height" must be given: expected a whole number of at least 1, as in neighborhood({ height: ..., width: ..., size: ... }).",
        "NameError: mask "neighborhood": the option "height" must be given: expected a whole number of at least 1, as in neighborhood({ height: ..., width: ..., size: ... }).",
        "ValueError: mask "prefix": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "prefix": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "random-blocks": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "random-blocks": the option "block" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "random-blocks": the option "draws" expects a whole number of at least 1 and at most 64, got 1.5.",
        "ValueError: mask "random-blocks": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "random-blocks": the option "blockSeed" expects a whole number, got 1.5.",
        "ValueError: mask "strided": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "strided": the option "stride" expects a whole number of at least 1, got 1.5.",
        "ValueError: mask "strided": the option "factor" expects one of 'both', 'local', 'stride', got 1.5.",
        "ValueError: mask "strided": the option "offset" expects a whole number, got 1.5.",
        "ValueError: mask "window": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: mask "window": the option "left" expects a whole number of at least 0, got 1.5.",
        "ValueError: mask "window": the option "right" expects a whole number of at least 0, got 1.5.",
        "ValueError: mask "window": the option "offset" expects a whole number, got 1.5.",
      ]
    `);
  });
  it('of modifiers', () => {
    expect(told('modifier')).toMatchInlineSnapshot(`
      [
        "ValueError: modifier "alibi": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: modifier "alibi": the option "slope" expects one of 'geometric', 'interleaved', 'given', got 1.5.",
        "ValueError: modifier "alibi": the option "distance" expects one of 'signed', 'absolute', got 1.5.",
        "ValueError: modifier "alibi": the option "offset" expects a whole number, got 1.5.",
        "ValueError: modifier "gaussian-window": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: modifier "gaussian-window": the option "center" expects one of 'own', 'given', got 1.5.",
        "ValueError: modifier "gaussian-window": the option "offset" expects a whole number, got 1.5.",
        "ValueError: modifier "gaussian-window": the option "sigma" expects a finite number above 0, got -1.",
        "ValueError: modifier "learned-scale": the option "per" expects one of 'attention', 'head', got 1.5.",
        "ValueError: modifier "relative-buckets": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: modifier "relative-buckets": the option "bidirectional" expects true or false, got 1.5.",
        "ValueError: modifier "relative-buckets": the option "buckets" expects a whole number of at least 2, got 1.5.",
        "ValueError: modifier "relative-buckets": the option "maxDistance" expects a whole number of at least 2, got 1.5.",
        "ValueError: modifier "relative-buckets": the option "offset" expects a whole number, got 1.5.",
        "ValueError: modifier "relative-grid": the option "height" expects a whole number of at least 1, got 1.5.",
        "ValueError: modifier "relative-grid": the option "width" expects a whole number of at least 1, got 1.5.",
        "ValueError: modifier "relative-keys": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: modifier "relative-keys": the option "scale" expects a finite number, got Infinity.",
        "ValueError: modifier "relative-keys": the option "distances" expects a whole number of at least 1, got 1.5.",
        "ValueError: modifier "relative-keys": the option "offset" expects a whole number, got 1.5.",
        "ValueError: modifier "relative-table": the option "align" expects one of 'same', 'start', 'end', 'lengths', got 1.5.",
        "ValueError: modifier "relative-table": the option "max" expects a whole number of at least 0, got 1.5.",
        "ValueError: modifier "relative-table": the option "offset" expects a whole number, got 1.5.",
        "ValueError: modifier "softcap": the option "cap" expects a finite number above 0, got -1.",
        "ValueError: modifier "temperature": the option "temperature" expects a finite number above 0, got -1.",
        "ValueError: modifier "gumbel": the option "gumbelSeed" expects a whole number, got 1.5.",
        "ValueError: modifier "gumbel": the option "gumbelScale" expects a finite number, got Infinity.",
      ]
    `);
  });
  it('of normalizers and reweights', () => {
    expect([...told('normalizer'), ...told('reweight')]).toMatchInlineSnapshot(`
      [
        "ValueError: normalizer "entmax": the option "alpha" expects a finite number above 1, got -1.",
        "ValueError: normalizer "relu": the option "divisor" expects a finite number above 0, got -1.",
        "ValueError: normalizer "sigmoid": the option "bias" expects one of 'shift', 'learned', got 1.5.",
        "ValueError: normalizer "sigmoid": the option "shift" expects a finite number, got Infinity.",
        "ValueError: normalizer "softmax": the option "sink" expects one of 'none', 'zero', 'learned', 'given', got 1.5.",
        "ValueError: reweight "local-gaussian": the option "window" expects a finite number of at least 0, got -1.",
        "ValueError: reweight "local-gaussian": the option "sigma" expects a finite number above 0, got -1.",
      ]
    `);
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

const shapeOf = ({
  type,
  along,
}: {
  readonly type: Type;
  readonly along: readonly (keyof typeof length)[];
}) => [
  ...along.map((axis) => length[axis]),
  ...Array.from({ length: type.lookups }, () => 5),
  ...type.dims.map((dim) => sizeOf(dim, sizes) as number),
];
const make = (shape: readonly number[], element: Type['element']): Tensor =>
  element === 'bool'
    ? ops.full(heed.device, [...shape], true)
    : ops.zeros(heed.device, [...shape], { dtype: element === 'int' ? 'int32' : 'float32' });

/** What a call says where one tensor of a part is of another shape, and of another kind. */
const calls = (samples: Readonly<Record<string, Part>>, as: string): string[] =>
  Object.values(samples).flatMap((part) => {
    const attend = heed.attention({
      score: 'dot',
      [as]: as === 'modifiers' || as === 'reweight' ? [part] : part,
    } as never);
    const declared = { ...part.params, ...part.inputs };
    return Object.entries(declared).flatMap(([wrong, { type, along }]) => {
      const x = ops.zeros(heed.device, [1, 1, 3, 2]);
      const call = (change: Tensor) => {
        const given = Object.fromEntries(
          Object.entries(declared).map(([name, one]) => [
            name,
            make(shapeOf(one as never), one.type.element),
          ]),
        );
        given[wrong] = change;
        const among = (names: object) =>
          Object.fromEntries(Object.keys(names).map((name) => [name, given[name] as Tensor]));
        return message(() => attend(x, x, x, { params: among(part.params), inputs: among(part.inputs) }));
      };
      const shape = shapeOf({ type, along } as never);
      const misshapen = call(make([...shape, 7], type.element));
      const mistyped = call(make(shape, type.element === 'float' ? 'bool' : 'float'));
      for (const one of [misshapen, mistyped])
        expect([part.label, wrong, one === null]).toEqual([part.label, wrong, false]);
      expect(mistyped).toContain(`"${wrong}"`);
      return [misshapen as string];
    });
  });

describe('tensors', () => {
  it('of scores', () => {
    expect(calls(scoreSamples, 'score')).toMatchInlineSnapshot(`
      [
        "ShapeError: attention: "w" must be [hidden, queryFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "u" must be [hidden, keyFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "v" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "b" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "g" must be one number, of shape [], got [7].",
        "ShapeError: attention: "wq" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "wk" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "wproduct" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "wdifference" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "b" must be one number, of shape [], got [7].",
        "ShapeError: attention: "w" must be [hidden, queryFeature+keyFeature] = [4, 4], got [3, 4, 7].",
        "ShapeError: attention: "v" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "strengths" must be [batch, head, query] = [1, 1, 3], got [1, 1, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "w" must be [hidden, queryFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "u" must be [hidden, keyFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "wc" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "b" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "v" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "coverage" must be [batch, keyHead, key] = [1, 1, 3], got [1, 1, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "w" must be [queryFeature, keyFeature] = [2, 2], got [2, 2, 7].",
        "ShapeError: attention: "b" must be one number, of shape [], got [7].",
        "ShapeError: attention: "c" must be [keyFeature] = [2], got [2, 7].",
        "ShapeError: attention: "wq" must be [queryFeature] = [2], got [2, 7].",
        "ShapeError: attention: "wk" must be [keyFeature] = [2], got [2, 7].",
        "ShapeError: attention: "b" must be one number, of shape [], got [7].",
        "ShapeError: attention: "w" must be [positions, queryFeature] = [2, 2], got [6, 2, 7].",
        "ShapeError: attention: "w" must be [hidden, queryFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "u" must be [hidden, keyFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "f" must be [hidden, channels] = [3, 7], got [3, 2, 7].",
        "ShapeError: attention: "b" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "v" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "features" must be [batch, keyHead, key, channels] = [1, 1, 3, 2], got [1, 1, 3, 2, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "w" must be [hidden, queryFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "u" must be [hidden, keyFeature] = [3, 2], got [3, 2, 7].",
        "ShapeError: attention: "b" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "v" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "w2" must be [hidden, hidden] = [3, 3], got [3, 3, 7].",
        "ShapeError: attention: "b2" must be [hidden] = [3], got [3, 7].",
        "ShapeError: attention: "wq" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "wk" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "wqk" must be [feature] = [2], got [2, 7].",
        "ShapeError: attention: "b" must be one number, of shape [], got [7].",
      ]
    `);
  });
  it('of masks', () => {
    expect(calls(maskSamples, 'mask')).toMatchInlineSnapshot(`
      [
        "ShapeError: attention: "allowed" must be [batch, head, query, key] = [1, 1, 3, 3], got [1, 1, 3, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "bias" must be [batch, head, query, key] = [1, 1, 3, 3], got [1, 1, 3, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "queryDocuments" must be [batch, query] = [1, 3], got [1, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "keyDocuments" must be [batch, key] = [1, 3], got [1, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "centers" must be [batch, head, query] = [1, 1, 3], got [1, 1, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "lengths" must be [batch] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "prefixLengths" must be [batch] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "queryLengths" must be [batch] = [1], got [1, 7]. Leading axes may be left out or be 1.",
      ]
    `);
  });
  it('of modifiers, normalizers and reweights', () => {
    expect([
      ...calls(modifierSamples, 'modifiers'),
      ...calls(normalizerSamples, 'normalizer'),
      ...calls(reweightSamples, 'reweight'),
    ]).toMatchInlineSnapshot(`
      [
        "ShapeError: attention: "bias" must be [batch, head, query, key] = [1, 1, 3, 3], got [1, 1, 3, 3, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "headScale" must be [head] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "bucketBias" must be [head, entries] = [1, any], got [1, 5, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "grid" must be [head, entries, entries] = [1, any, any], got [1, 5, 5, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "relativeKeys" must be [distances, feature] = [2, 2], got [5, 2, 7].",
        "ShapeError: attention: "relative" must be [head, entries] = [1, any], got [1, 5, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "alphas" must be [head] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "shifts" must be [head] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "sinks" must be [head] = [1], got [1, 7]. Leading axes may be left out or be 1.",
        "ShapeError: attention: "centers" must be [batch, head, query] = [1, 1, 3], got [1, 1, 3, 7]. Leading axes may be left out or be 1.",
      ]
    `);
  });
});
