import {
  add,
  and,
  asExpr,
  at,
  derive,
  div,
  dot,
  type Expr,
  index,
  inputsOf,
  le,
  mat,
  matvec,
  maximum,
  mul,
  ne,
  type Scalar,
  scalar,
  sigmoid,
  sub,
  table,
  tanh,
  vec,
} from '@heed/expr';
import type { AttendGradientProgram, AttendProgram, Partials, View } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { attention, dotProduct, forms, noise, rows, sizes } from './attention.fixture.ts';
import { Bench, float, truth } from './bench.fixture.ts';
import { lengths } from './scene.ts';
import { product } from './strided.ts';

const dims = { feature: 3, valueFeature: 2, hidden: 2 };
const q = vec('feature');
const causal = truth((x) => le(x('key', index), x('query', index)));

const by = (root: Expr<Scalar>, name: string): Expr | null => {
  const node = inputsOf([root]).find(({ data }) => data.name === name);
  return node ? derive(root, [asExpr(node as never)])[0]! : null;
};

/** The gradient of an attention by all of its results. */
function gradientOf(of: AttendProgram, wrt: readonly string[]): AttendGradientProgram {
  const { weight, sink } = of.normalizer;
  const partials = (name: string): Partials => ({
    score: by(of.score, name),
    reweight: by(of.reweight, name),
    weight: by(weight, name),
    sink: sink && by(sink, name),
  });
  return {
    kind: 'attend-gradient',
    of,
    wrt,
    upstream: { context: true, weights: of.keep.weights !== false, level: of.keep.level },
    weightByScore: by(weight, 'score') as Expr<Scalar> | null,
    weightByLevel: by(weight, 'level') as Expr<Scalar> | null,
    partials: Object.fromEntries(
      wrt.filter((name) => name !== of.value).map((name) => [name, partials(name)]),
    ),
    cheaper: null,
  };
}

/** Compares gradients with central differences, for inputs of the shapes that their axes and `tables` give. */
async function check(
  changes: Partial<AttendProgram>,
  wrt: readonly string[],
  tables: Readonly<Record<string, readonly number[]>> = {},
  edit: (name: string, numbers: number[]) => void = () => {},
): Promise<Record<string, number[]>> {
  const program = attention({ keep: { level: true, weights: true }, sizes: dims, ...changes });
  const bench = await Bench.open();
  const shapeOf = (name: string): number[] => {
    const { along, type } = program.inputs[name]!;
    const ends = type.dims.map((dim) => dims[dim as keyof typeof dims]);
    return [...along.map((axis) => sizes[lengths[axis]]), ...(tables[name] ?? []), ...ends];
  };
  const numbers = Object.fromEntries(
    Object.keys(program.inputs).map((name, seed) => {
      const all = noise(product(shapeOf(name)), seed + 11);
      edit(name, all);
      return [name, all];
    }),
  );
  const upload = (all: typeof numbers): Record<string, View> =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, bench.full(shapeOf(name), one)]));
  const { weights } = program.keep;
  const pool = typeof weights === 'object' ? weights.pool : 1;
  const shapes: Record<string, number[]> = {
    context: [2, 4, 3, 2],
    ...(program.keep.level ? { level: [2, 4, 3] } : {}),
    ...(weights ? { weights: [2, 4, Math.ceil(3 / pool), Math.ceil(5 / pool)] } : {}),
  };
  const above = Object.fromEntries(
    Object.entries(shapes).map(([name, one], i) => [name, noise(product(one), 50 + i)]),
  );
  const forward = (all: typeof numbers) => bench.result(program, upload(all), shapes, { sizes });
  const loss = async (all: typeof numbers): Promise<number> => {
    const found = await forward(all);
    // The level of an empty row is -infinity and no function of anything.
    const term = (one: number, by: number) => (Number.isFinite(one) ? one * by : 0);
    return Object.entries(above).reduce(
      (sum, [name, by]) => sum + by.reduce((inner, one, i) => inner + term(found[name]![i]!, one), 0),
      0,
    );
  };
  const kept = await forward(numbers);
  const inputs = {
    ...upload(numbers),
    context: bench.full(shapes.context!, kept.context!),
    ...(program.keep.level ? { level: bench.full(shapes.level!, kept.level!) } : {}),
    ...Object.fromEntries(
      Object.entries(above).map(([name, one]) => [`grad$${name}`, bench.full(shapes[name]!, one)]),
    ),
  };
  const outputs = Object.fromEntries(wrt.map((name) => [name, shapeOf(name)]));
  const gradients = await bench.result(gradientOf(program, wrt), inputs, outputs, { sizes });
  const step = 1e-5;
  for (const name of wrt) {
    expect(
      gradients[name]!.some((one) => one !== 0),
      name,
    ).toBe(true);
    for (const [i, got] of gradients[name]!.entries()) {
      const moved = (by: number) => ({ ...numbers, [name]: numbers[name]!.with(i, numbers[name]![i]! + by) });
      const difference = ((await loss(moved(step))) - (await loss(moved(-step)))) / (2 * step);
      if (!Number.isNaN(numbers[name]![i]!)) expect(got, `${name}[${i}]`).toBeCloseTo(difference, 7);
      else expect(got, `${name}[${i}]`).toBe(0);
    }
  }
  return gradients;
}

describe('attend-gradient', () => {
  it.each(['softmax', 'sparsemax'] as const)(
    'of rows, values and levels agrees with differences for %s',
    async (name) => {
      await check({ normalizer: forms[name] }, ['q', 'k', 'v']);
      await check({ normalizer: forms[name], mask: causal }, ['q', 'k', 'v']);
    },
  );

  it('of rows agrees with differences for sigmoid, which has no level', async () => {
    await check({ normalizer: forms.sigmoid, keep: { level: false, weights: true } }, ['q', 'k', 'v']);
  });

  it('of values agrees with differences for argmax, and that of scores is zero', async () => {
    await check({ normalizer: forms.argmax }, ['v']);
    const program = attention({ normalizer: forms.argmax, keep: { level: false, weights: false } });
    const bench = await Bench.open();
    const row = (count: number, width: number) =>
      bench.full([2, count, 1, width], noise(2 * count * width, 1));
    const of = { ...sizes, queryLength: 1, keyLength: 1 };
    const inputs = { q: row(4, 3), k: row(2, 3), v: row(2, 2), context: row(4, 2), grad$context: row(4, 2) };
    const level = bench.full([2, 4, 1], new Array(8).fill(0));
    const { q } = await bench.result(
      gradientOf(program, ['q']),
      { ...inputs, level },
      { q: [2, 4, 1, 3] },
      { sizes: of },
    );
    expect(q).toEqual(new Array(24).fill(0));
  });

  it('of vector and matrix parameters agrees with differences', async () => {
    const inputs = {
      ...rows,
      w: { type: mat('hidden', 'feature'), dtype: 'float64', along: [] },
      u: { type: mat('hidden', 'feature'), dtype: 'float64', along: ['head'] },
      d: { type: vec('hidden'), dtype: 'float64', along: ['keyHead'] },
    } as const;
    const score = float((x) => {
      const hidden = add(
        matvec(x('w', mat('hidden', 'feature')), x('q', q)),
        matvec(x('u', mat('hidden', 'feature')), x('k', q)),
      );
      return dot(x('d', vec('hidden')), tanh(hidden));
    });
    await check({ inputs, score }, ['q', 'k', 'v', 'w', 'u', 'd']);
  });

  it('of biases of pairs and of tables agrees with differences, entries outside left alone', async () => {
    const inputs = {
      ...rows,
      bias: { type: scalar, dtype: 'float64', along: ['head', 'query', 'key'] },
      relative: { type: table(1), dtype: 'float64', along: ['head'] },
      embedding: { type: table(2, vec('feature')), dtype: 'float64', along: [] },
    } as const;
    const score = float((x) => {
      const distance = sub(x('key', index), x('query', index));
      const relative = add(at(x('relative', table(1)), distance), at(x('relative', table(1)), 2));
      const embedding = at(x('embedding', table(2, vec('feature'))), x('keyHead', index), distance);
      return add(add(dot(x('q', q), add(x('k', q), embedding)), mul(relative, relative)), x('bias', scalar));
    });
    const tables = { relative: [3], embedding: [2, 4] };
    await check({ inputs, score }, ['q', 'k', 'bias', 'relative', 'embedding'], tables);
  });

  it('of a reweight that reads rows agrees with differences', async () => {
    const reweight = float((x) => sigmoid(dot(x('q', q), x('k', q))));
    await check({ reweight }, ['q', 'k', 'v']);
  });

  it.each(['softmax', 'sparsemax'] as const)('of a sink agrees with differences for %s', async (name) => {
    const inputs = { ...rows, sink: { type: scalar, dtype: 'float64', along: ['head'] } } as const;
    const sink = float((x) => add(mul(x('sink', scalar), 0.5), dot(x('q', q), x('q', q))));
    await check({ inputs, normalizer: { ...forms[name], sink } }, ['q', 'k', 'v', 'sink']);
  });

  it('of what the weight itself reads agrees with differences, with and without a sink', async () => {
    const inputs = { ...rows, sharpness: { type: scalar, dtype: 'float64', along: ['head'] } } as const;
    const sharp = float((x) =>
      maximum(mul(x('sharpness', scalar), sub(x('score', scalar), x('level', scalar))), 0),
    );
    const low = float((x) => sub(x('maximum', scalar), div(1, x('sharpness', scalar))));
    const normalizer = { ...forms.sparsemax, weight: sharp, level: { ...forms.sparsemax.level, low } };
    const positive = (name: string, all: number[]) => {
      if (name === 'sharpness')
        all.forEach((one, i) => {
          all[i] = 1.5 + one;
        });
    };
    await check({ inputs, normalizer }, ['q', 'k', 'sharpness'], {}, positive);
    const sink = float(() => 0.1);
    await check({ inputs, normalizer: { ...normalizer, sink } }, ['q', 'k', 'sharpness'], {}, positive);
    const weight = float((x) => sigmoid(mul(x('score', scalar), x('sharpness', scalar))));
    const none = { ...forms.sigmoid, weight };
    await check({ inputs, normalizer: none, keep: { level: false, weights: true } }, ['q', 'sharpness']);
  });

  it('of pooled weights agrees with differences', async () => {
    await check({ keep: { level: true, weights: { pool: 2 } }, mask: causal }, ['q', 'k', 'v']);
  });

  it('takes a value that the score reads too', async () => {
    const type = vec('feature');
    const both = { type, dtype: 'float64', along: ['batch', 'keyHead', 'key'] } as const;
    const program = attention({
      inputs: { q: rows.q, k: both },
      value: 'k',
      sizes: { feature: 2 },
      score: dotProduct,
      keep: { level: true, weights: false },
    });
    const gradient = gradientOf(program, ['k']);
    const bench = await Bench.open();
    const of = { batches: 1, heads: 1, keyHeads: 1, queryLength: 1, keyLength: 2 };
    const at = (keys: number[]) => ({
      q: bench.full([1, 1, 1, 2], [1, 2]),
      k: bench.full([1, 1, 2, 2], keys),
    });
    const shapes = { context: [1, 1, 1, 2], level: [1, 1, 1] };
    const keys = [0.3, -0.2, 0.5, 0.1];
    const kept = await bench.result(program, at(keys), shapes, { sizes: of });
    const inputs = {
      ...at(keys),
      context: bench.full([1, 1, 1, 2], kept.context),
      level: bench.full([1, 1, 1], kept.level),
      grad$context: bench.full([1, 1, 1, 2], [1, -1]),
      grad$level: bench.full([1, 1, 1], [0]),
    };
    const partials = { k: { score: by(program.score, 'k'), reweight: null, weight: null, sink: null } };
    const { k } = await bench.result({ ...gradient, partials }, inputs, { k: [1, 1, 2, 2] }, { sizes: of });
    for (const i of keys.keys()) {
      const loss = async (step: number) => {
        const { context } = await bench.result(program, at(keys.with(i, keys[i]! + step)), shapes, {
          sizes: of,
        });
        return context[0]! - context[1]!;
      };
      expect(k[i]).toBeCloseTo(((await loss(1e-5)) - (await loss(-1e-5))) / 2e-5, 8);
    }
  });

  it('is zero, not NaN, for rows that nothing reads and rows that read nothing', async () => {
    const mask = truth((x) => and(ne(x('key', index), 4), ne(x('query', index), 2)));
    const spoil = (name: string, all: number[]) => {
      const width = name === 'v' ? 2 : 3;
      const length = name === 'q' ? 3 : 5;
      all.forEach((_, i) => {
        if (Math.floor(i / width) % length === length - 1) all[i] = Number.NaN;
      });
    };
    for (const name of ['softmax', 'sparsemax'] as const) {
      await check({ mask, normalizer: forms[name] }, ['q', 'k', 'v'], {}, spoil);
    }
  });

  it('refuses programs that contradict themselves', async () => {
    const { backend } = await Bench.open();
    const good = gradientOf(attention({ keep: { level: true, weights: false } }), ['q', 'v']);
    const refused = (changes: Partial<AttendGradientProgram>) => () =>
      backend.compile({ ...good, ...changes });
    expect(refused({})).not.toThrow();
    expect(refused({ wrt: ['w'] })).toThrow('attend-gradient: expected "w" among the inputs, got q, k, v');
    expect(refused({ partials: {} })).toThrow('expected partials of "q", got none');
    expect(refused({ weightByLevel: null })).toThrow(
      'expected how the weight changes with a level by log-sum-exp',
    );
    expect(refused({ upstream: { context: true, weights: true, level: false } })).toThrow(
      'weights that were kept',
    );
    const wrong = {
      q: { score: float((x) => x('level', scalar)), reweight: null, weight: null, sink: null },
    };
    expect(refused({ partials: wrong })).toThrow('score by "q": expected a name among');
  });
});
