// Random well-typed expressions, with values for their inputs: what the laws of this package are tried on.

import fc from 'fast-check';
import { build, constant, input } from './infer.ts';
import { asExpr, type Expr, Graph, type Node } from './node.ts';
import type { Op } from './op.ts';
import { print } from './print.ts';
import { bool, type Dim, index, mat, type Sizes, scalar, type Type, table, vec } from './type.ts';
import type { Value } from './value.ts';

/** What an expression gives. Vectors have dim m, n or m+n, matrices m x n. */
export type Kind = 'scalar' | 'index' | 'bool' | 'vecM' | 'vecN' | 'vecMN' | 'mat';

export interface Sample {
  readonly root: Expr<never>;
  /** For every input that an expression may have; `root` reads some of them. */
  readonly values: Readonly<Record<string, Value>>;
  /** Of m and n. */
  readonly sizes: Sizes;
}

export interface ExpressionOptions {
  readonly result?: Kind;
  /** Ops that do not occur: `rough` for expressions that differentiate everywhere and nowhere explode. */
  readonly except?: readonly Op[];
  /** The floats of inputs; by default between -2 and 2. */
  readonly floats?: fc.Arbitrary<number>;
  /** The float literals; by default small, and often those that algebra knows (0, 1, -1, 2). */
  readonly literals?: fc.Arbitrary<number>;
  /** The ints of inputs; by default between -4 and 6. */
  readonly ints?: fc.Arbitrary<number>;
  readonly depth?: number;
  /** Sizes of m and n; by default 1 to 4. */
  readonly size?: fc.Arbitrary<number>;
}

/** Ops with jumps, kinks, poles or steep growth: differences say nothing about derivatives there. */
export const rough: readonly Op[] = [
  'abs',
  'sign',
  'floor',
  'log',
  'sqrt',
  'rsqrt',
  'log1p',
  'exp',
  'div',
  'pow',
  'mod',
  'floorDiv',
  'minimum',
  'maximum',
  'max',
  'min',
  'norm',
  'toInt',
  'lt',
  'le',
  'gt',
  'ge',
  'eq',
  'ne',
];

/** Every float that arithmetic treats specially, and ordinary ones. */
export const hostile: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    NaN,
    Infinity,
    -Infinity,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MIN_VALUE,
  ),
  fc.double({ min: -3, max: 3, noNaN: true }),
  fc.double(),
);

const axes: readonly (readonly string[])[] = [[], ['left'], ['right'], ['left', 'right']];
const pool = (stem: string, type: Type): [string, Type, readonly string[]][] =>
  axes.map((along) => [stem + along.map((axis) => axis[0]?.toUpperCase()).join(''), type, along]);

type Leaf = [name: string, type: Type, along: readonly string[]];
const leaves: { readonly [K in Kind | 'tables']: readonly Leaf[] } = {
  scalar: pool('x', scalar),
  index: pool('i', index),
  bool: pool('p', bool),
  vecM: pool('u', vec('m')),
  vecN: pool('v', vec('n')),
  vecMN: pool('uv', vec('m+n')),
  mat: [
    ['w', mat('m', 'n'), []],
    ['wL', mat('m', 'n'), ['left']],
  ],
  tables: [
    ['line', table(1), []],
    ['square', table(2), ['left']],
    ['rows', table(1, vec('m')), []],
    ['steps', table(1, index), []],
  ],
};

type Recipe = (home: Graph) => Node;

const leaf = (kind: Kind): fc.Arbitrary<Recipe> =>
  fc.constantFrom(...leaves[kind]).map(
    ([name, type, along]) =>
      (home) =>
        input(home, name, type, along),
  );

const tableLeaf = (name: string): Recipe => {
  const [, type, along] = leaves.tables.find(([one]) => one === name) as Leaf;
  return (home) => input(home, name, type, along);
};

interface Production {
  readonly op: Op;
  readonly of: readonly (Kind | Recipe)[];
  readonly data?: Node['data'];
}

const each = (ops: readonly Op[], ...of: readonly Kind[]): Production[] => ops.map((op) => ({ op, of }));
const one = (op: Op, of: readonly (Kind | Recipe)[], data?: Node['data']): Production => ({
  op,
  of,
  ...(data && { data }),
});

const unary: readonly Op[] = [
  'neg',
  'abs',
  'sign',
  'exp',
  'log',
  'log1p',
  'tanh',
  'sigmoid',
  'sqrt',
  'rsqrt',
  'floor',
  'erf',
  'sin',
  'cos',
];
const binary: readonly Op[] = ['add', 'sub', 'mul', 'div', 'minimum', 'maximum', 'pow', 'mod', 'floorDiv'];
const compares: readonly Op[] = ['lt', 'le', 'gt', 'ge', 'eq', 'ne'];
const reduces: readonly Op[] = ['sum', 'max', 'min', 'norm'];

const vector = (self: Kind, dim: Dim): Production[] => [
  ...each(unary, self),
  ...each(binary, self, self),
  ...each(binary, self, 'scalar'),
  ...each(binary, 'scalar', self),
  one('select', ['bool', self, self]),
  one('select', ['bool', self, 'scalar']),
  one('fill', ['scalar'], { dim }),
  one('spread', ['scalar', 'index'], { dim }),
];

const productions: { readonly [K in Kind]: readonly Production[] } = {
  scalar: [
    ...each(unary, 'scalar'),
    ...each(binary, 'scalar', 'scalar'),
    one('select', ['bool', 'scalar', 'scalar']),
    one('toFloat', ['index']),
    one('toFloat', ['bool']),
    one('size', [], { dim: 'm' }),
    one('size', [], { dim: 'm+n' }),
    one('dot', ['vecM', 'vecM']),
    one('dot', ['vecN', 'vecN']),
    ...each(reduces, 'vecM'),
    ...each(reduces, 'vecN'),
    ...each(reduces, 'vecMN'),
    one('pick', ['vecM', 'index']),
    one('at', [tableLeaf('line'), 'index']),
    one('at', [tableLeaf('square'), 'index', 'index']),
    one('random', ['index', 'index', 'index', 'index']),
  ],
  index: [
    ...each(['neg', 'abs', 'sign'], 'index'),
    ...each(
      binary.filter((op) => op !== 'div' && op !== 'pow'),
      'index',
      'index',
    ),
    one('toInt', ['scalar']),
    one('select', ['bool', 'index', 'index']),
    one('at', [tableLeaf('steps'), 'index']),
  ],
  bool: [
    ...each(compares, 'index', 'index'),
    ...each(compares, 'scalar', 'scalar'),
    one('not', ['bool']),
    one('and', ['bool', 'bool']),
    one('or', ['bool', 'bool']),
    one('select', ['bool', 'bool', 'bool']),
  ],
  vecM: [
    ...vector('vecM', 'm'),
    one('slice', ['vecMN'], { axis: 0, from: '0', dim: 'm' }),
    one('matvec', ['mat', 'vecN']),
    one('at', [tableLeaf('rows'), 'index']),
  ],
  vecN: [
    ...vector('vecN', 'n'),
    one('slice', ['vecMN'], { axis: 0, from: 'm', dim: 'n' }),
    one('vecmat', ['vecM', 'mat']),
  ],
  vecMN: [
    ...vector('vecMN', 'm+n'),
    one('concat', ['vecM', 'vecN']),
    one('place', ['vecM'], { axis: 0, from: '0', dim: 'm+n' }),
    one('place', ['vecN'], { axis: 0, from: 'm', dim: 'm+n' }),
  ],
  mat: [
    ...each(unary, 'mat'),
    ...each(binary, 'mat', 'mat'),
    ...each(binary, 'mat', 'scalar'),
    one('outer', ['vecM', 'vecN']),
    one('select', ['bool', 'mat', 'mat']),
  ],
};

/** Random expressions that type-check, and values for all inputs they may read. */
export function expression(options: ExpressionOptions = {}): fc.Arbitrary<Sample> {
  const { result = 'scalar', except = [], depth = 4, size = fc.integer({ min: 1, max: 4 }) } = options;
  const floats = options.floats ?? fc.double({ min: -2, max: 2, noNaN: true });
  const ints = options.ints ?? fc.integer({ min: -4, max: 6 });
  const literals =
    options.literals ??
    fc.oneof(fc.constantFrom(0, 1, -1, 2, 0.5), fc.double({ min: -2, max: 2, noNaN: true }));
  const literal = (of: fc.Arbitrary<number>, element: Type['element']): fc.Arbitrary<Recipe> =>
    of.map((value) => (home) => constant(home, value, element));
  const simple: { readonly [K in Kind]: fc.Arbitrary<Recipe> } = {
    scalar: fc.oneof(leaf('scalar'), literal(literals, 'float')),
    index: fc.oneof(leaf('index'), literal(fc.integer({ min: -2, max: 4 }), 'int')),
    bool: fc.oneof(leaf('bool'), literal(fc.integer({ min: 0, max: 1 }), 'bool')),
    vecM: leaf('vecM'),
    vecN: leaf('vecN'),
    vecMN: leaf('vecMN'),
    mat: leaf('mat'),
  };
  const kinds = Object.keys(productions) as Kind[];
  const { [result]: recipe } = fc.letrec<Record<Kind, Recipe>>((tie) => {
    const made = ({ op, of, data }: Production): fc.Arbitrary<Recipe> =>
      fc.tuple(...of.map((arg) => (typeof arg === 'string' ? tie(arg) : fc.constant(arg)))).map(
        (args) => (home: Graph) =>
          build(
            home,
            op,
            args.map((arg) => arg(home)),
            data ?? null,
          ),
      );
    const all = kinds.map((kind) => {
      const allowed = productions[kind].filter(({ op }) => !except.includes(op));
      return [
        kind,
        fc.oneof({ maxDepth: depth, depthIdentifier: 'expression' }, simple[kind], ...allowed.map(made)),
      ];
    });
    return Object.fromEntries(all);
  });
  return size.chain((m) =>
    size.chain((n) =>
      fc.tuple(recipe, values({ m, n }, floats, ints)).map(([make, given]) => {
        const root = asExpr<never>(make(new Graph()));
        const sample: Sample = { root, values: given, sizes: { m, n } };
        const text = () => `${print(root, { inputs: true })} where ${fc.stringify(given)}`;
        return Object.defineProperty(sample, fc.toStringMethod, { value: text, enumerable: false });
      }),
    ),
  );
}

function values(
  { m, n }: { m: number; n: number },
  floats: fc.Arbitrary<number>,
  ints: fc.Arbitrary<number>,
): fc.Arbitrary<Record<string, Value>> {
  const list = (length: number): fc.Arbitrary<number[]> =>
    fc.array(floats, { minLength: length, maxLength: length });
  const entries = (sizes: readonly number[], each: number, of: fc.Arbitrary<number>): fc.Arbitrary<Value> => {
    const length = sizes.reduce((all, size) => all * size, each);
    return fc.array(of, { minLength: length, maxLength: length }).map((data) => ({ sizes, data }));
  };
  const kinds: { readonly [K in Kind]: fc.Arbitrary<Value> } = {
    scalar: floats,
    index: ints,
    bool: fc.boolean(),
    vecM: list(m),
    vecN: list(n),
    vecMN: list(m + n),
    mat: list(m * n),
  };
  const named = (Object.keys(kinds) as Kind[]).flatMap((kind) =>
    leaves[kind].map(([name]) => [name, kinds[kind]] as const),
  );
  return fc.record({
    ...Object.fromEntries(named),
    line: entries([5], 1, floats),
    square: entries([3, 4], 1, floats),
    rows: entries([4], m, floats),
    steps: entries([6], 1, ints),
  });
}
