// For tests: attentions of every form, planned for float32 and for float64, with numbers for all that their gradients read.

import {
  type AttentionOptions,
  compose,
  differentiate,
  type Problem,
  plan,
  type Spec,
} from '@heed/attention';
import { inputsOf, type Sizes, sizeOf } from '@heed/expr';
import {
  type AttendGradientProgram,
  type AttendInput,
  type AttendProgram,
  type Axis,
  axisNames,
  type Backend,
  lengthNames,
  type Program,
} from '@heed/tensor';
import { Random } from '../../around/testing/src/random.ts';
import { type Data, exactly, MULTIPLE, roundoff } from '../../around/testing/src/tolerance.ts';
import { type Lay, type Pair, place, product, type Stored } from './pair.fixture.ts';

export type Lengths = Readonly<Record<Axis, number>>;

export interface Case {
  readonly options: AttentionOptions;
  /** Entries of each lookup of tables, by name. */
  readonly tables?: Readonly<Record<string, readonly number[]>>;
  readonly uniforms?: Readonly<Record<string, number>>;
  /** Makes the numbers of inputs fit each other. */
  readonly edit?: (inputs: Record<string, Float64Array<ArrayBuffer>>) => void;
}

export interface Choice {
  readonly lengths: Lengths;
  readonly features: number;
  readonly values: number;
  readonly seed: number;
  readonly upstream: AttendGradientProgram['upstream'];
  readonly pool: number;
  /** How tensors lie, in turn; dense where left out. */
  readonly lays?: (rank: number) => Lay;
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
  /** What the floats of inputs are multiplied by. */
  readonly scale?: number;
  /** Numbers of these inputs at these positions along an axis are NaN. */
  readonly spoil?: Readonly<Record<string, readonly [Axis, number]>>;
}

const row = (along: readonly Axis[], dim: string) => ({
  type: { element: 'float', dims: [dim], lookups: 0 } as const,
  along,
});

function problemOf(
  spec: Spec,
  { features, values, lengths, pool }: Choice,
  floats: Stored | 'float64',
): Problem {
  const shared = spec.widths === 'shared';
  const declared: Record<string, Pick<AttendInput, 'type' | 'along'>> = {
    q: row(['batch', 'head', 'query'], shared ? 'feature' : 'queryFeature'),
    k: row(['batch', 'keyHead', 'key'], shared ? 'feature' : 'keyFeature'),
    value: row(['batch', 'keyHead', 'key'], 'valueFeature'),
    ...spec.params,
    ...spec.inputs,
  };
  const stored = { float: floats, int: 'int32', bool: 'bool' } as const;
  const solved = spec.normalizer.level.by !== 'none';
  const { query, key, head, keyHead } = lengths;
  return {
    inputs: Object.fromEntries(
      Object.entries(declared).map(([name, { type, along }]) => [
        name,
        { type, along, dtype: stored[type.element] as AttendInput['dtype'] },
      ]),
    ),
    uniforms: Object.fromEntries(Object.entries(spec.uniforms).map(([name, { element }]) => [name, element])),
    sizes: {
      ...(shared ? { feature: features } : { queryFeature: features, keyFeature: features + 1 }),
      valueFeature: values,
      ...Object.fromEntries(Object.keys(spec.sizes).map((name) => [name, features + 2])),
    } as Sizes,
    fewer: head * query < keyHead * key ? 'query' : 'key',
    keep: { level: solved, weights: pool > 1 ? { pool } : pool === 1 },
    dtype: floats as Problem['dtype'],
  };
}

export function programsOf(kase: Case, choice: Choice) {
  const spec = compose(kase.options, false);
  const make = (floats: Stored | 'float64') => {
    const { program } = plan(spec, problemOf(spec, choice, floats));
    const wrt = Object.entries(program.inputs).flatMap(([name, { type }]) =>
      type.element === 'float' ? [name] : [],
    );
    const { context, weights, level } = choice.upstream;
    const upstream = {
      context,
      weights: weights && !!program.keep.weights,
      level: level && program.keep.level,
    };
    return { forward: program, backward: differentiate(program, wrt, upstream) };
  };
  return { stored: make(choice.dtype ?? 'float32'), exact: make('float64'), spec };
}

/** Lays one tensor after the other as given, none with repeated elements. */
export function layInTurn(given: readonly Lay[]): (rank: number) => Lay {
  let next = 0;
  return (rank) => {
    const lay = given[next++ % given.length] as Lay;
    return { ...lay, order: lay.order.filter((axis) => axis < rank), repeat: lay.repeat.map(() => false) };
  };
}

const shapeOf = (
  { inputs, sizes }: AttendProgram,
  { tables = {} }: Case,
  lengths: Lengths,
  name: string,
): number[] => {
  const { along, type } = inputs[name] as AttendInput;
  const lookups = tables[name] ?? Array.from({ length: type.lookups }, () => 3);
  return [
    ...along.map((axis) => lengths[axis]),
    ...lookups,
    ...type.dims.map((dim) => sizeOf(dim, sizes) as number),
  ];
};

const sizesOf = (lengths: Lengths): Record<string, number> =>
  Object.fromEntries(axisNames.map((axis) => [lengthNames[axis], lengths[axis]]));

/** Runs the case's gradient on both backends of the pair and expects like results. */
export async function agree(pair: Pair, kase: Case, choice: Choice): Promise<void> {
  const { stored, exact, spec } = programsOf(kase, choice);
  const { lengths, seed, pool } = choice;
  const random = new Random(seed);
  const { forward } = exact;
  const shapes: Record<string, number[]> = {};
  const inputs: Record<string, Float64Array<ArrayBuffer>> = {};
  const floats: string[] = [];
  for (const [name, { type, along }] of Object.entries(forward.inputs)) {
    const shape = shapeOf(forward, kase, lengths, name);
    shapes[name] = shape;
    const count = product(shape);
    if (type.element === 'float') {
      floats.push(name);
      inputs[name] = random.numbers(count, choice.scale ?? 1).map(Math.fround);
      const [axis, at] = choice.spoil?.[name] ?? [null, 0];
      if (axis && along.includes(axis)) {
        const inner = product(shape.slice(along.indexOf(axis) + 1));
        inputs[name] = inputs[name].map((one, i) =>
          Math.floor(i / inner) % lengths[axis] === at ? Number.NaN : one,
        );
      }
    } else {
      const most = type.element === 'bool' ? 1 : Math.max(lengths.key, lengths.query);
      inputs[name] = Float64Array.from({ length: count }, () => random.integer(0, most));
    }
  }
  kase.edit?.(inputs);
  const rows = [lengths.batch, lengths.head, lengths.query];
  const results: Record<string, number[]> = {
    context: [...rows, choice.values],
    ...(forward.keep.level ? { level: rows } : {}),
    ...(forward.keep.weights
      ? { weights: [...rows.slice(0, 2), Math.ceil(lengths.query / pool), Math.ceil(lengths.key / pool)] }
      : {}),
  };
  for (const name of ['context', 'weights', 'level'] as const) {
    if (!stored.backward.upstream[name]) continue;
    shapes[`grad$${name}`] = results[name] as number[];
    inputs[`grad$${name}`] = random.numbers(product(results[name] as number[])).map(Math.fround);
    floats.push(`grad$${name}`);
  }
  const uniforms = Object.fromEntries(
    Object.keys(forward.uniforms).map((name) => [
      name,
      kase.uniforms?.[name] ?? spec.uniforms[name]?.value ?? 1,
    ]),
  );
  const call = { uniforms, sizes: sizesOf(lengths) };
  let kept: Data = {};
  const gradients = async (given: Data): Promise<Data> => {
    const attended = await runExactly(pair.reference, forward, given, shapes, results, call);
    kept = Object.keys(kept).length === 0 ? attended : kept;
    const outputs = Object.fromEntries(exact.backward.wrt.map((name) => [name, shapes[name] as number[]]));
    const { weights: _, ...again } = attended;
    return runExactly(
      pair.reference,
      exact.backward,
      { ...given, ...again },
      { ...shapes, ...results },
      outputs,
      call,
    );
  };
  const dtype = choice.dtype ?? 'float32';
  const roundings = Math.max(4, lengths.key, lengths.query) * Math.max(1, lengths.batch * lengths.head);
  const exact64 = await exactly(gradients, inputs, {
    dtype,
    roundings,
    floats,
    random: new Random(seed + 1),
  });
  // What comes back to a pair is rounded at its own size, which is not seen where it cancels: a sum of `values` products
  // of numbers below one.
  // Scores that read places (a slope times a distance) have terms as large as the lengths, which cancel as well.
  const places = inputsOf([forward.score]).some(({ data }) => data.name === 'query' || data.name === 'key');
  const reach = places ? Math.max(lengths.query, lengths.key) : 1;
  const slack =
    MULTIPLE *
    reach *
    roundings *
    2 *
    roundoff[dtype] *
    Math.max(1, choice.values) *
    Math.max(1, choice.scale ?? 1) ** 2;
  const allowed = Object.fromEntries(
    Object.entries(exact64.allowed).map(([name, one]) => [name, one + slack]),
  );
  const { weights: _, ...again } = kept;
  const lay =
    choice.lays ??
    ((rank) => ({
      order: Array.from({ length: rank }, (_, i) => i),
      gap: Array(rank).fill(1),
      flip: Array(rank).fill(false),
      repeat: Array(rank).fill(false),
      offset: 0,
    }));
  const dtypeOf = (name: string): Stored => {
    if (name === 'level' || name === 'grad$level') return 'float32';
    return (stored.forward.inputs[name]?.dtype as Stored | undefined) ?? dtype;
  };
  const all = { ...inputs, ...again };
  await pair.agree(
    stored.backward as Program,
    Object.fromEntries(
      Object.entries(all).map(([name, values]) => {
        const shape = (shapes[name] ?? results[name]) as number[];
        // Pairs store ints as tenths: what is given must be what is meant.
        const numbers = dtypeOf(name) === 'int32' ? Array.from(values, (one) => one / 10) : [...values];
        return [name, [place(dtypeOf(name), shape, lay(shape.length)), numbers] as const];
      }),
    ),
    Object.fromEntries(
      stored.backward.wrt.map((name) => {
        const shape = shapes[name] as number[];
        const own = lay(shape.length);
        return [name, place(dtypeOf(name), shape, { ...own, repeat: own.repeat.map(() => false) })];
      }),
    ),
    { ...call, allowed },
  );
}

async function runExactly(
  backend: Backend,
  program: Program,
  given: Data,
  shapes: Readonly<Record<string, readonly number[]>>,
  results: Readonly<Record<string, readonly number[]>>,
  call: {
    readonly uniforms: Readonly<Record<string, number>>;
    readonly sizes: Readonly<Record<string, number>>;
  },
): Promise<Data> {
  const of = program.kind === 'attend-gradient' ? program.of : (program as AttendProgram);
  const arrays = { float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;
  const view = (name: string, shape: readonly number[]) => {
    const dtype = (of.inputs[name]?.dtype ?? 'float64') as keyof typeof arrays;
    const bytes = { float64: 8, int32: 4, bool: 1 }[dtype];
    const allocation = backend.allocate(Math.max(8, product(shape) * bytes));
    const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
    return { allocation, dtype, shape, strides, offset: 0 };
  };
  const used = program.kind === 'attend' ? Object.keys(of.inputs) : Object.keys(given);
  const inputs = Object.fromEntries(
    used.map((name) => {
      const one = view(name, shapes[name] as number[]);
      backend.write(
        one.allocation,
        new Uint8Array(arrays[one.dtype].from(given[name] as Float64Array).buffer),
      );
      return [name, one];
    }),
  );
  const outputs = Object.fromEntries(
    Object.entries(results).map(([name, shape]) => [name, view(name, shape)]),
  );
  backend.run(backend.compile(program), { inputs, outputs, ...call });
  const found: Record<string, Float64Array<ArrayBuffer>> = {};
  for (const [name, { allocation, shape }] of Object.entries(outputs))
    found[name] = new Float64Array((await backend.read(allocation, 0, product(shape) * 8)).buffer);
  for (const { allocation } of [...Object.values(inputs), ...Object.values(outputs)])
    backend.free(allocation);
  return found;
}

/** The program of a case, with what a call of it brings: shapes and dtypes. */
export function callOf(kase: Case, choice: Choice) {
  const { stored, exact, spec } = programsOf(kase, choice);
  const { lengths, pool } = choice;
  const { forward, backward } = stored;
  const rows = [lengths.batch, lengths.head, lengths.query];
  const { context, weights, level } = backward.upstream;
  const solved = forward.normalizer.level.by !== 'none';
  const float = forward.dtype;
  const blocks = [Math.ceil(lengths.query / Math.max(1, pool)), Math.ceil(lengths.key / Math.max(1, pool))];
  const own = (name: string) => ({
    shape: shapeOf(exact.forward, kase, lengths, name),
    dtype: (forward.inputs[name] as AttendInput).dtype,
  });
  const contexts = { shape: [...rows, choice.values], dtype: float };
  const levels = { shape: rows, dtype: 'float32' as const };
  const inputs: Record<string, { shape: number[]; dtype: AttendInput['dtype'] }> = {
    ...Object.fromEntries(Object.keys(forward.inputs).map((name) => [name, own(name)])),
    context: contexts,
    ...(solved ? { level: levels } : {}),
    ...(context ? { grad$context: contexts } : {}),
    ...(weights ? { grad$weights: { shape: [...rows.slice(0, 2), ...blocks], dtype: float } } : {}),
    ...(level ? { grad$level: levels } : {}),
  };
  return {
    program: backward as Program,
    inputs,
    outputs: Object.fromEntries(backward.wrt.map((name) => [name, own(name)])),
    uniforms: Object.fromEntries(
      Object.keys(forward.uniforms).map((name) => [
        name,
        kase.uniforms?.[name] ?? spec.uniforms[name]?.value ?? 1,
      ]),
    ),
    sizes: sizesOf(lengths),
  };
}
