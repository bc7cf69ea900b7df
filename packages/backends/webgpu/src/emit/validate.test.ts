// Every kind of shader, compiled: what parts ask for, what laws ask for, random formulas, on machines of every sort.

import { type AttentionOptions, attention, compose, differentiate } from '@heed/attention';
import {
  asNode,
  type Bool,
  type Expr,
  input,
  type NodeOf,
  rebuild,
  type Scalar,
  sizeOf,
  type Type,
} from '@heed/expr';
import { causal, softcap } from '@heed/masks';
import { softmax, sparsemax } from '@heed/normalizers';
import { dot, l2Distance, scaledDot } from '@heed/scores';
import {
  type AttendInput,
  type AttendProgram,
  type Axis,
  add,
  axisNames,
  type Device,
  type DType,
  dispatch,
  lengthNames,
  openDevice,
  parameter,
  printProgram,
  sum,
  type Tensor,
  tensor,
} from '@heed/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Attempt, placed } from '../../../../around/testing/src/laws/backend/attempt.ts';
import {
  lookupAttempts,
  matmulAttempts,
  reduceAttempts,
  rowAttempts,
} from '../../../../around/testing/src/laws/backend/folds.ts';
import { castAttempts, mapAttempts } from '../../../../around/testing/src/laws/backend/maps.ts';
import { callOf } from '../../../../around/testing/src/laws/stand.ts';
import { Random } from '../../../../around/testing/src/random.ts';
import { type AxisLengths, draw, type Scene } from '../../../../around/testing/src/scene/scene.ts';
import { expression } from '../../../../core/expr/src/arbitraries.fixture.ts';
import { programOf } from '../../../trials/scene.fixture.ts';
import { byPart, byScore, exported, IMAGE, isImage, used } from './every-part.fixture.ts';
import { least, type Machine } from './machine.ts';
import type { Layout } from './plan.ts';
import { type Asked, recorder, Validator } from './validate.fixture.ts';

const SEED = 20;

/** Every sort of device: what is missing, what is larger. Invocations and memory are those that the null device can check. */
const machines: readonly Machine[] = [
  least,
  { ...least, half: true },
  { ...least, subgroups: { min: 4, max: 4 } },
  { ...least, subgroups: { min: 4, max: 128 } },
  { ...least, half: true, subgroups: { min: 32, max: 32 }, storageBuffers: 10, bindingBytes: 2 ** 30 },
];

const featureSizes = [1, 3, 4, 64, 80, 128, 255, 256];

/** One token, a few, many; with and without shared heads. */
const lengths: readonly AxisLengths[] = [
  { batch: 1, head: 4, keyHead: 2, query: 1, key: 300 },
  { batch: 2, head: 2, keyHead: 1, query: 5, key: 7 },
  { batch: 1, head: 2, keyHead: 2, query: 70, key: 65 },
];

let validator: Validator;
let device: Device;
const asked: Asked[] = [];
const texts = new WeakMap<object, string>();

beforeAll(async () => {
  validator = await Validator.open();
  device = await openDevice({ kind: 'backend', name: 'recorder', open: async () => recorder(asked) });
});
beforeEach(() => void asked.splice(0));
afterAll(async () => {
  await device.close();
  validator.close();
});

/** Compiles all that was asked for since the last time, on some machines; fails with what the compiler says. */
async function judge(what: string, on: readonly Machine[]): Promise<void> {
  for (const one of asked.splice(0)) {
    const text = texts.get(one.program) ?? printProgram(one.program);
    texts.set(one.program, text);
    for (const machine of on) validator.check(what, one, machine, text);
  }
  await validator.settle();
  const wrong = validator.wrong.splice(0);
  if (wrong.length > 0)
    expect.fail(`${wrong.length} shaders are wrong (seed ${SEED}).\n${wrong.slice(0, 3).join('\n\n')}`);
}

type Floats = 'float32' | 'float16' | 'bfloat16';

/** Calls an attention on numbers, forward and backward, for all that it gives. */
function callAttention(options: AttentionOptions, scene: Scene, floats: Floats): void {
  const spec = compose(options, true);
  const stored = { float: floats, int: 'int32', bool: 'bool' } as const;
  const tensors = Object.fromEntries(
    Object.entries(scene.fields).map(([name, { type, shape, data }]): [string, Tensor] => {
      const made: Tensor = tensor(device, data, { dtype: stored[type.element] as DType, shape: [...shape] });
      return [name, type.element === 'float' ? parameter(made) : made];
    }),
  );
  const { rows, call } = callOf(spec, tensors, scene.uniforms);
  const training = options.dropout ? { train: true, seed: 1 } : {};
  const attend = attention(options);
  sum(attend(...rows, { ...call, ...training }) as Tensor).backward();
  for (const weights of [true, { pool: 4 }] as const) {
    const given = attend(...rows, { ...call, ...training, weights });
    const total = sum(given.weights);
    (total.tracked ? add(total, sum(given.context)) : sum(given.context)).backward();
  }
  if (spec.normalizer.level.by === 'none') return;
  const { level } = attend(...rows, { ...call, ...training, level: true });
  if (level.tracked) sum(level).backward();
}

const nameOf = (options: AttentionOptions): string =>
  `${attention(options).label}${options.dropout ? ' | dropout' : ''}`;

describe('every part, forward and backward', () => {
  it('is among those below', () => expect([...used].sort()).toEqual([...exported].sort()));

  const random = new Random(SEED);
  const choose = (options: AttentionOptions, features: number, values: number): void => {
    const spec = compose(options, true);
    const sizes = {
      ...(spec.widths === 'shared' ? { feature: features } : { queryFeature: features, keyFeature: values }),
      ...spec.sizes,
      valueFeature: values,
    };
    const at = random.pick(lengths);
    const scene = draw(spec, isImage(options) ? { ...at, query: IMAGE, key: IMAGE } : at, random, { sizes });
    callAttention(options, scene, random.pick(['float32', 'float32', 'float16', 'bfloat16']));
  };

  // The fewest buffers are the hardest to do with.
  const others = machines.slice(1);
  for (const options of byScore) {
    it(`${nameOf(options)}, on rows of any size`, { timeout: 60_000 }, async () => {
      const sizes = random.permutation(featureSizes.length).slice(0, 4);
      for (const [i, at] of sizes.entries()) {
        choose(options, featureSizes[at] as number, random.pick(featureSizes));
        await judge(nameOf(options), [i < 2 ? least : random.pick(others)]);
      }
    });
  }
  for (const options of byPart) {
    it(nameOf(options), { timeout: 60_000 }, async () => {
      choose(options, random.pick([3, 4, 64]), random.pick([3, 4, 64]));
      await judge(nameOf(options), [least, random.pick(others)]);
    });
  }
});

it('binds no more buffers than the device has', () => {
  expect([...validator.crowded]).toEqual([]);
  console.info(`${validator.count} different shaders`);
});

/** Asks for what a law would run. */
function ask(attempt: Attempt): void {
  const program = attempt.program((dtype) => dtype);
  const inputs = Object.fromEntries(
    Object.entries(attempt.inputs).map(([name, one]) => [name, placed(device, one, one.dtype)]),
  );
  const onto = Object.fromEntries(
    Object.entries(attempt.onto ?? {}).map(([name, { shape, dtype, data }]) => [
      name,
      { into: tensor(device, data, { dtype, shape: [...shape] }) },
    ]),
  );
  const made = Object.fromEntries(
    Object.entries(attempt.results).map(([name, { shape, dtype }]) => [name, { shape: [...shape], dtype }]),
  );
  dispatch(device, program, { inputs, results: { ...made, ...onto }, uniforms: attempt.uniforms ?? {} });
}

describe('what the laws ask for', () => {
  const kinds = { mapAttempts, reduceAttempts, rowAttempts, matmulAttempts, lookupAttempts };
  for (const [name, make] of Object.entries(kinds)) {
    it(name, { timeout: 60_000 }, async () => {
      const random = new Random(SEED);
      for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
        for (let run = 0; run < 3; run++) {
          for (const attempt of make(dtype, random)) ask(attempt);
          await judge(`${name} of ${dtype}`, [random.pick(machines), random.pick(machines)]);
        }
      }
    });
  }

  it('conversions between all dtypes', { timeout: 60_000 }, async () => {
    const random = new Random(SEED);
    const { dtypes } = device.backend.limits;
    for (const from of dtypes) for (const to of dtypes) ask(castAttempts(from, to, random));
    await judge('a conversion', machines.slice(0, 2));
  });
});

describe('matrices of subgroups', () => {
  const square = (side: number) => ({ component: 'f16', result: 'f32', m: side, n: side, k: side });
  const half: Machine = { ...least, half: true, storageBuffers: 10 };
  const small = { component: 'f16', result: 'f16', m: 8, n: 8, k: 8 };
  const withMatrices: readonly Machine[] = [
    { ...half, subgroups: { min: 4, max: 128 }, matrices: [small, square(8)] },
    { ...half, subgroups: { min: 8, max: 32 }, matrices: [small, square(8)], workgroupBytes: 32768 },
    { ...half, subgroups: { min: 64, max: 64 }, matrices: [square(16), square(8)], workgroupBytes: 65536 },
    { ...half, subgroups: { min: 8, max: 8 }, matrices: [{ ...small, result: 'f32', m: 16, n: 8, k: 16 }] },
  ];
  const random = new Random(SEED);
  const at: AxisLengths = { batch: 1, head: 4, keyHead: 2, query: 70, key: 65 };

  /** Which of them multiplied by matrices. */
  const judged = async (what: string): Promise<boolean> => {
    await judge(what, withMatrices);
    return validator.multiplied.has(what);
  };

  it('multiply rows of 16-bit floats, wherever their product stands in a score', {
    timeout: 60_000,
  }, async () => {
    const forward = (options: AttentionOptions, floats: Floats, features: number): void => {
      const spec = compose(options, false);
      const sizes = { ...spec.sizes, feature: features, queryFeature: features, keyFeature: features };
      const scene = draw(spec, at, random, { sizes: { ...sizes, valueFeature: features } });
      const tensors = Object.fromEntries(
        Object.entries(scene.fields).map(([name, { shape, data }]) => [
          name,
          tensor(device, data, { dtype: floats, shape: [...shape] }),
        ]),
      );
      const { rows, call } = callOf(spec, tensors, scene.uniforms);
      attention(options)(...rows, { ...call, weights: true });
    };
    const found: Record<string, boolean> = {};
    const normalizer = softmax();
    const capped = { score: scaledDot(), modifiers: [softcap()], mask: causal({ align: 'end' }), normalizer };
    for (const options of [
      capped,
      { score: dot(), normalizer: sparsemax() },
      { score: l2Distance(), normalizer },
    ]) {
      for (const floats of ['float16', 'bfloat16', 'float32'] as const) {
        for (const features of [13, 64, 132]) forward(options, floats, features);
        const name = `${floats}: ${nameOf(options)}`;
        found[name] = await judged(name);
      }
    }
    expect(found).toMatchInlineSnapshot(`
      {
        "bfloat16: dot | sparsemax": false,
        "bfloat16: l2-distance | softmax": false,
        "bfloat16: scaled-dot | softcap | causal(align: 'end') | softmax": false,
        "float16: dot | sparsemax": true,
        "float16: l2-distance | softmax": false,
        "float16: scaled-dot | softcap | causal(align: 'end') | softmax": true,
        "float32: dot | sparsemax": false,
        "float32: l2-distance | softmax": false,
        "float32: scaled-dot | softcap | causal(align: 'end') | softmax": false,
      }
    `);
  });

  it('multiply matrices of 16-bit floats', { timeout: 60_000 }, async () => {
    for (const dtype of ['float16', 'bfloat16', 'float32'] as const) {
      for (let run = 0; run < 4; run++) for (const attempt of matmulAttempts(dtype, random)) ask(attempt);
      expect(await judged(`matmul of ${dtype}`)).toBe(dtype === 'float16');
    }
  });
});

describe('random formulas', () => {
  const lying = { left: ['batch', 'head', 'query'], right: ['batch', 'keyHead', 'key'] } as const;
  const alongOf = (names: readonly string[]): readonly Axis[] =>
    names.length === 2
      ? ['batch', 'head', 'query', 'key']
      : names.flatMap((name) => lying[name as 'left' | 'right']);

  /** The expression over the axes of an attention, and the inputs that it reads. */
  function placedIn<T extends Type>(
    root: Expr<T>,
    inputs: Record<string, AttendInput>,
    floats: Floats,
  ): Expr<T> {
    const stored = { float: floats, int: 'int32', bool: 'bool' } as const;
    const [found] = rebuild([root], (node, home) => {
      if (node.op !== 'input') return node;
      const { name, along } = (node as NodeOf<'input'>).data;
      inputs[name] = { type: node.type, dtype: stored[node.type.element], along: alongOf(along) };
      return asNode(input(home, name, node.type, alongOf(along)));
    });
    return found as Expr<T>;
  }

  const shapeOf = ({ sizes }: AttendProgram, at: AxisLengths, { along, type }: AttendInput): number[] => [
    ...along.map((axis) => at[axis]),
    ...Array<number>(type.lookups).fill(6),
    ...type.dims.map((dim) => sizeOf(dim, sizes) as number),
  ];

  /** A layout of any order, offset by any element. */
  function lie(shape: readonly number[], random: Random): Layout {
    const order = random.flip() ? shape.map((_, i) => i) : random.permutation(shape.length);
    const strides = shape.map(() => 0);
    let step = random.pick([1, 1, 2]);
    for (const axis of order.toReversed()) {
      strides[axis] = step;
      step *= shape[axis] as number;
    }
    return { shape, strides, offset: random.integer(0, 5) };
  }

  it('are compiled as scores, masks and reweights, forward and backward', { timeout: 60_000 }, () => {
    const base = programOf({ score: scaledDot(), normalizer: softmax() }, {});
    const size = fc.constantFrom(1, 2, 3, 4, 5, 17, 64);
    const scalar = expression({ size });
    const scene = fc.tuple(scalar, expression({ result: 'bool', size }), scalar, fc.nat());
    return fc.assert(
      fc.asyncProperty(scene, async ([score, mask, reweight, seed]) => {
        const random = new Random(seed);
        const floats = random.pick(['float32', 'float16', 'bfloat16'] as const);
        const inputs: Record<string, AttendInput> = {
          value: { ...(base.inputs.value as AttendInput), dtype: floats },
        };
        const program: AttendProgram = {
          ...base,
          inputs,
          score: placedIn(score.root as Expr<Scalar>, inputs, floats),
          mask: placedIn(mask.root as Expr<Bool>, inputs, floats),
          reweight: placedIn(reweight.root as Expr<Scalar>, inputs, floats),
          sizes: { ...score.sizes, valueFeature: random.pick(featureSizes) },
          cheaper: null,
          keep: { level: true, weights: random.pick([false, true, { pool: 4 }]) },
          dtype: floats,
        };
        const at = random.pick(lengths);
        const rows = [at.batch, at.head, at.query];
        const by = typeof program.keep.weights === 'object' ? program.keep.weights.pool : 1;
        const results: Record<string, number[]> = {
          context: [...rows, program.sizes.valueFeature as number],
          level: rows,
          ...(program.keep.weights
            ? { weights: [at.batch, at.head, Math.ceil(at.query / by), Math.ceil(at.key / by)] }
            : {}),
        };
        const shapes = Object.fromEntries(
          Object.entries(inputs).map(([name, one]) => [name, shapeOf(program, at, one)]),
        );
        const wrt = Object.keys(inputs).filter((name) => inputs[name]?.type.element === 'float');
        const upstream = { context: true, weights: !!program.keep.weights, level: random.flip() };
        const sizes = Object.fromEntries(axisNames.map((axis) => [lengthNames[axis], at[axis]]));
        const layouts = (shapesOf: Readonly<Record<string, readonly number[]>>, prefix = '') =>
          Object.fromEntries(
            Object.entries(shapesOf).map(([name, shape]) => [`${prefix}${name}`, lie(shape, random)]),
          );
        const { context, level } = results as { context: number[]; level: number[] };
        const given = Object.fromEntries(
          Object.entries(upstream).flatMap(([name, is]) =>
            is ? [[`grad$${name}`, results[name] as number[]]] : [],
          ),
        );
        asked.push(
          { program, sizes, layouts: { ...layouts(shapes), ...layouts(results, 'out:') } },
          {
            program: differentiate(program, wrt, upstream),
            sizes,
            layouts: {
              ...layouts({ ...shapes, ...given, context, level }),
              ...layouts(Object.fromEntries(wrt.map((name) => [name, shapes[name] as number[]])), 'out:'),
            },
          },
        );
        await judge('a random formula', [random.pick(machines)]);
      }),
      { numRuns: 40, seed: SEED, endOnFailure: true },
    );
  });
});
