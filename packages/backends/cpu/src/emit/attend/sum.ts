// What values add to contexts: by the micro-kernel, unless a value that is no number could meet a query that must not see
// it. Weights of such pairs are zero, but 0 * NaN is NaN.

import type { Callee } from '../wasm/index.ts';
import { writeAccumulate, writeGuarded } from './context-kernel.ts';
import { abreast } from './joint.ts';
import { LINE } from './layout.ts';
import { tileOf } from './pairs.ts';
import {
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  most,
  routine,
  type Site,
  scaled,
  setSub,
  setUnit,
  simd,
  storeLanes,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from './site.ts';

/** sum(): adds the values of the rows of the block, weighed, to the contexts of the records abreast that see them. */
export function writeSum(kernel: Kernel): Callee {
  const { design, writer } = kernel;
  const accumulate = writeAccumulate(writer, design.width, kernel.abreast);
  const guarded = design.formulas.mask ? writeSumGuarded(kernel) : null;
  const decays = design.by === 'log-sum-exp';
  return routine(kernel, [], (site) => {
    const { code, layout } = site;
    const records = abreast(site);
    /** The rows [from, to) to records that all see them. */
    const give = (to: readonly Site[], first: Int, end: Int, decay: boolean): void => {
      const { step, values } = valuesAt(site, first);
      const rows = code.let('i32', code.op('i32.sub', end, first));
      const weights = to.map((record) => scaled(site, tileOf(record), first, LINE));
      const [contexts, decay8] = ['context', 'decay'].map((name) =>
        to.map(({ sub }) => add(site, sub, layout.sub.at(name))),
      ) as [Int[], Int[]];
      const nothing = to.map(() => code.let('i32', 0));
      code.call(accumulate, values, step, rows, ...weights, ...contexts, ...(decay ? decay8 : nothing));
    };
    const ifSome = (first: Int, end: Int, then: () => void, otherwise?: () => void): void =>
      code.if(code.op('i32.lt_s', first, end), then, otherwise);
    const alone = (record: Site, first: Int, end: Int, decay: boolean): void =>
      ifSome(first, end, () =>
        give(
          Array.from({ length: site.abreast }, () => record),
          first,
          end,
          decay,
        ),
      );
    if (guarded) for (const record of records) call(record, guarded);
    const spans = records.map((record) => [subWord(record, 'from'), subWord(record, 'to')] as const);
    const from = spans.map(([first]) => first).reduce((a, b) => most(site, a, b));
    const to = spans.map(([, end]) => end).reduce((a, b) => least(site, a, b));
    // Rows that one record sees and the other does not must not reach the other: its weights are zero, but 0 * NaN is NaN.
    ifSome(
      from,
      to,
      () => {
        give(records, from, to, decays);
        if (records.length === 1) return;
        for (const [i, [first, end]] of spans.entries()) {
          alone(records[i] as Site, first, from, false);
          alone(records[i] as Site, to, end, false);
        }
      },
      () => {
        if (records.length === 1) return;
        for (const [i, [first, end]] of spans.entries()) alone(records[i] as Site, first, end, decays);
      },
    );
  });
}

/** The values of the block from a row on. */
function valuesAt(site: Site, row: Int): { readonly step: Int; readonly values: Int } {
  const { value } = site.design.program;
  const step = unitWord(site, `step:${value}`);
  return { step, values: scaled(site, unitWord(site, `row:${value}`), row, step) };
}

/** guarded(): where values are not finite that only some of the record's queries see, sums the record's rows with care, and leaves none. */
function writeSumGuarded(kernel: Kernel): Callee {
  const { design, writer } = kernel;
  const guarded = writeGuarded(writer, design.width);
  const finite = writeFinite(kernel);
  return routine(kernel, [], (site) => {
    const { code, layout, sub } = site;
    const [from, to, head, tail] = (['from', 'to', 'head', 'tail'] as const).map((word) =>
      subWord(site, word),
    ) as [Int, Int, Int, Int];
    const some = code.let('i32', code.op('i32.lt_s', from, to));
    const [before, behind] = [
      code.let('i32', code.op('i32.lt_s', from, head)),
      code.let('i32', code.op('i32.lt_s', tail, to)),
    ];
    const crosses = code.op('i32.and', some, code.let('i32', code.op('i32.or', before, behind)));
    code.if(crosses, () => {
      call(site, finite);
      code.if(code.op('i32.eqz', unitWord(site, 'finite')), () => {
        writeMarks(site, head, tail);
        if (design.by === 'log-sum-exp') writeDecay(site);
        const { step, values } = valuesAt(site, from);
        const rows = code.let('i32', code.op('i32.sub', to, from));
        const [weights, allowed] = [
          scaled(site, tileOf(site), from, LINE),
          scaled(site, tileOf(site, 'allowed'), from, LINE),
        ];
        code.call(guarded, values, step, rows, weights, allowed, add(site, sub, layout.sub.at('context')));
        setSub(site, 'to', from);
      });
    });
  });
}

/** Rows that are allowed as a whole, marked as such. */
function writeMarks(site: Site, head: Int, tail: Int): void {
  const { code } = site;
  code.if(code.op('i32.lt_s', head, tail), () => {
    const from = scaled(site, tileOf(site, 'allowed'), head, LINE);
    const bytes = code.let('i32', code.op('i32.shl', code.op('i32.sub', tail, head), 5));
    code.fill(from, -1, bytes);
  });
}

/** Shrinks the context on its own. */
function writeDecay(site: Site): void {
  const { code, design, layout, sub } = site;
  const s = simd(site, 2);
  const decay = subLanes(site, 'decay');
  const at = add(site, sub, layout.sub.at('context'));
  each(site, 0, design.width, 1, () => {
    const before = [0, 16].map((offset) => code.let('v128', code.load('v128.load', at, offset)));
    storeLanes(site, at, 0, s.op('f32x4.mul', before, decay) as readonly Vector[]);
    code.set(at, code.op('i32.add', at, LINE));
  });
}

/** finite(): whether the values are finite whose rows some of the record's queries may see and others may not. */
function writeFinite(kernel: Kernel): Callee {
  const rows = writeFiniteRows(kernel);
  return routine(kernel, [], (site) => {
    const { code } = site;
    const [from, to, head, tail] = (['from', 'to', 'head', 'tail'] as const).map((word) =>
      subWord(site, word),
    ) as [Int, Int, Int, Int];
    setUnit(site, 'finite', 1);
    for (const [first, end] of [
      [from, head],
      [tail, to],
    ] as const)
      code.if(code.op('i32.lt_s', first, end), () => call(site, rows, first, end));
  });
}

/** How many vectors are tested side by side: a sum waits for the one before it. */
const TESTS = 4;

/** Notes whether a value of the block's rows [first, last) is not finite. */
function writeFiniteRows(kernel: Kernel): Callee {
  return routine(kernel, ['i32', 'i32'], (site, first, end) => {
    const { code, design } = site;
    const { program, width } = design;
    const s = simd(site, 1);
    const step = unitWord(site, `step:${program.value}`);
    const row = scaled(site, unitWord(site, `row:${program.value}`), first, step);
    const sums = Array.from({ length: TESTS }, () => code.let('v128', code.zero()));
    const zero = s.zero();
    // x * 0 is NaN for NaN and infinities, and stays NaN in a sum.
    const test = (vector: Vector, into: number): void => {
      const sum = sums[into % TESTS] as Vector;
      code.set(sum, s.vector(s.madd([vector], zero, [sum]), 0));
    };
    const together = 4 * TESTS;
    each(site, first, end, 1, () => {
      const at = code.let('i32', row);
      each(site, 0, width - (width % together), together, () => {
        for (let i = 0; i < TESTS; i++) test(code.let('v128', code.load('v128.load', at, 16 * i)), i);
        code.set(at, code.op('i32.add', at, 16 * TESTS));
      });
      const rest = width % together;
      for (let i = 0; i < rest >> 2; i++) test(code.let('v128', code.load('v128.load', at, 16 * i)), i);
      for (let i = rest & -4; i < rest; i++)
        test(code.let('v128', code.load('v128.load32_splat', at, 4 * i)), i);
      code.set(row, code.op('i32.add', row, step));
    });
    const all = sums
      .slice(1)
      .reduce<Vector>((a, b) => code.let('v128', code.op('f32x4.add', a, b)), sums[0] as Vector);
    const strange = code.op(
      'i32.eqz',
      code.op('i32x4.all_true', code.let('v128', code.op('f32x4.eq', all, all))),
    );
    code.if(strange, () => setUnit(site, 'finite', 0));
  });
}
