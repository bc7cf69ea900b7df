// context = sum over allowed keys of normalize(score) * reweight * value: which kernel, over which units of work.

import { asNode, type Expr, type Node, reachable } from '@heed/expr';
import { type AttendProgram, dtypes, type Unsupported } from '@heed/tensor';
import { bytesOf, type Step, type Layout as TensorLayout } from '../geometry.ts';
import { lanewise } from '../lanewise.ts';
import type { Plan, Planner } from '../plan.ts';
import { PARTS, partBytes } from './few-parts.ts';
import { analyse, axisNames, lengthNames } from './formula.ts';
import { emitAttend } from './kernel.ts';
import {
  type AttendShape,
  abreastOn,
  BLOCK,
  type Design,
  FEW_BLOCK,
  LANES,
  LINE,
  layOut,
  operandsOf,
  PADDING,
  sideOf,
  tensorsOf,
  widthOf,
} from './layout.ts';

/** Blocks of 8 queries that share a block of keys while it is in the cache. */
const SUBS = 8;
/** The same where rows of keys are computed for the block: the more queries share them, the better. */
const MANY_SUBS = 16;

/** Units for each thread, so that an uneven one does not hold up the rest. */
const UNITS = 4;
/** Elements that a part of the keys has at least: ten microseconds or so, against which merging it is little. */
const PART = 2 ** 16;

/** Makes an attention ready to be planned. */
export const prepareAttend = (program: AttendProgram): Planner<AttendProgram> => {
  const design = designOf(program);
  return (_program, layouts, machine, lengths) => {
    const { threads } = machine;
    const shape = shapeOf(design, layouts, lengths.queryLength as number);
    const length = (name: string): number => lengths[name] as number;
    const [queries, keys] = [length('queryLength'), length('keyLength')];
    const matrices = length('batches') * length('heads');
    const rows = rowsOfUnit(design, queries, matrices, threads);
    const subs = Math.ceil(rows / LANES);
    const blocks = Math.ceil(queries / rows);
    const tileRows = (design.whole ? keys : BLOCK) + PADDING;
    const pools = Math.ceil(keys / design.pool);
    const pooled = design.weights === 'pooled' ? Math.ceil(rows / design.pool) * pools * 4 : 0;
    const units = matrices * blocks;
    const weight = Math.min(rows, queries) * keys * Math.max(8, design.width) * 2;
    const parts = shape.few ? partsOf(units, keys, weight, threads) : 1;
    const numbers: Record<string, number> = {
      unitRows: rows,
      unitSubs: subs,
      unitBlocks: blocks,
      tileRows,
      pools,
      parts,
    };
    for (const axis of axisNames) numbers[lengthNames[axis]] = length(lengthNames[axis]);
    for (const [name, { type, along }] of Object.entries(program.inputs)) {
      for (let i = 0; i < type.lookups; i++)
        numbers[`size:${name}:${i}`] = layouts[name]?.shape[along.length + i] as number;
    }
    const strides = stridesOf(program, layouts);
    const planOf = (share: AttendShape['share']): Plan => {
      const own: AttendShape = { ...shape, share };
      const layout = layOut(design, own);
      return {
        key: JSON.stringify(own),
        emit: (on, checked) => emitAttend(design, own, layout, on, checked),
        sizes: [],
        strides,
        numbers,
        units,
        weight,
        scratch:
          128 +
          layout.unit.bytes +
          subs * layout.sub.bytes +
          (design.whole ? subs : abreastOn(machine)) * 2 * tileRows * LINE +
          pooled,
        note: noteOf(design, own),
      };
    };
    if (parts === 1) return planOf('all');
    return {
      ...planOf('part'),
      units: units * parts,
      weight: weight / parts,
      between: { [PARTS]: units * parts * partBytes(design) },
      after: { ...planOf('merge'), weight: (parts * partBytes(design)) / 4 },
    };
  };
};

/** In how many parts a unit of few queries shares out its keys: in one where there are units enough. */
function partsOf(units: number, keys: number, weight: number, threads: number): number {
  if (threads === 1) return 1;
  const wanted = Math.ceil((UNITS * threads) / Math.max(1, units));
  return Math.max(1, Math.min(wanted, Math.floor(keys / FEW_BLOCK), Math.floor(weight / PART)));
}

function designOf(program: AttendProgram): Design {
  const formulas = analyse(program);
  const { by } = program.normalizer.level;
  const { weights } = program.keep;
  const pool = typeof weights === 'object' ? weights.pool : 1;
  return {
    program,
    formulas,
    by,
    whole: by === 'root' || by === 'argmax',
    scaled: scaleOf(formulas),
    weights: weights === false ? 'none' : pool > 1 ? 'pooled' : 'whole',
    pool,
    subs: formulas.cheaper ? MANY_SUBS : SUBS,
    width: widthOf(program, program.value),
  };
}

/** Whether a score is one matrix product times what varies along no key. */
export function scaleOf({ score: { rest, terms }, cheaper, along }: Design['formulas']): Design['scaled'] {
  const [term] = terms;
  if (cheaper || !term?.product || terms.length > 1) return null;
  const isTerm = (node: Node | undefined): boolean => node?.op === 'input' && node.data.name === term.name;
  if (isTerm(rest)) return { by: 'itself', factor: null };
  const [a, b] = rest.args as readonly [Node, Node];
  const still = (node: Node): boolean => !along(node).has('key') && node.type.element === 'float';
  if (rest.op === 'neg' && isTerm(a)) return { by: 'negative', factor: null };
  if (rest.op === 'div' && isTerm(a) && still(b)) return { by: 'quotient', factor: b };
  if (rest.op !== 'mul') return null;
  if (isTerm(a) && still(b)) return { by: 'product', factor: b };
  return isTerm(b) && still(a) ? { by: 'product', factor: a } : null;
}

/**
 * Queries of a unit: a few records, fewer where threads would go without work; of pooled weights whole blocks, so that no
 * other unit adds to them.
 */
function rowsOfUnit({ subs, pool }: Design, queries: number, matrices: number, threads: number): number {
  const wanted = threads === 1 ? 1 : Math.ceil((UNITS * threads) / Math.max(1, matrices));
  const fair = Math.ceil(queries / wanted / LANES) * LANES;
  const usual = Math.max(LANES, Math.min(subs * LANES, fair));
  return pool === 1 ? usual : pool * Math.max(1, Math.floor(usual / pool));
}

type Layouts = Readonly<Record<string, TensorLayout>>;

const stepOf = (bytes: number, stride: number): Step =>
  stride === bytes ? 'unit' : stride === 0 ? 'repeat' : 'any';

export function shapeOf(design: Design, layouts: Layouts, queries: number): AttendShape {
  const { program, formulas } = design;
  const steps: Record<string, Step> = {};
  const direct: string[] = [];
  for (const name of new Set([...operandsOf(program, formulas).keys, program.value])) {
    const { dtype, strides, shape } = layouts[name] as TensorLayout;
    const step = stepOf(1, (shape.at(-1) as number) > 1 ? (strides.at(-1) as number) : 1);
    if (dtype === 'float32' && step === 'unit') direct.push(name);
    steps[`${name}:features`] = step;
  }
  const beside = Object.values(steps).every((step) => step === 'unit');
  const rows = Object.keys(program.inputs).filter((name) => program.inputs[name]?.along.includes('query'));
  for (const name of [...rows, 'context']) {
    const { strides, shape } = layouts[name] as TensorLayout;
    steps[`${name}:features`] ??= stepOf(1, (shape.at(-1) ?? 0) > 1 ? (strides.at(-1) as number) : 1);
  }
  for (const [name, { along }] of Object.entries(program.inputs)) {
    if (sideOf(along) !== 'pair') continue;
    const { strides } = layouts[name] as TensorLayout;
    steps[name] = stepOf(1, strides[along.indexOf('query')] as number);
  }
  for (const [name, { along, type }] of Object.entries(program.inputs)) {
    if (!along.includes('key') || type.dims.length > 0 || type.lookups > 0) continue;
    const { strides } = layouts[name] as TensorLayout;
    steps[`${name}:keys`] = stepOf(1, strides[along.indexOf('key')] as number);
  }
  return { direct, steps, few: queries < LANES && beside && isForFew(design), share: 'all' };
}

/** Whether few queries can be done one by one: features side by side, and nothing but scalars beside sums over them. */
function isForFew({ program, formulas, by, weights }: Design): boolean {
  const { score, mask, reweight, weight, along } = formulas;
  if (weights !== 'none' || (by !== 'log-sum-exp' && by !== 'none')) return false;
  const { keys, shared } = operandsOf(program, formulas);
  const plain = [score.rest, mask, reweight, weight].flatMap((root) => (root ? [...reachable([root])] : []));
  if (plain.some(({ type }) => type.dims.length > 0)) return false;
  return score.terms.every(({ node, product }) => {
    if (product) return true;
    if (node.op === 'max' || node.op === 'min') return false;
    return [...reachable([node as Node])].every((one) => {
      if (one === (node as Node)) return true;
      if (one.op === 'input' && one.type.dims.length === 1) {
        const side = sideOf(one.data.along);
        return side === 'query' || keys.includes(one.data.name) || shared.includes(one.data.name);
      }
      if (one.op === 'input')
        return one.type.dims.length === 0 && one.type.lookups === 0 && !along(one).has('key');
      return one.op === 'const' || (one.op in lanewise && one.type.dims.length < 2);
    });
  });
}

/** Strides in bytes along batch, head, keyHead, query, key, then those of lookups and dims. */
function stridesOf(program: AttendProgram, layouts: Layouts): Record<string, readonly number[]> {
  const outputs: Readonly<Record<string, readonly string[]>> = {
    context: ['batch', 'head', 'query'],
    level: ['batch', 'head', 'query'],
    weights: ['batch', 'head', 'query', 'key'],
  };
  return Object.fromEntries(
    tensorsOf(program).map((name) => {
      const along = program.inputs[name]?.along ?? (outputs[name] as readonly string[]);
      const { strides, dtype } = layouts[name] as TensorLayout;
      const own = strides.map((stride) => stride * bytesOf(dtype));
      const axes = axisNames.map((axis) => (along.includes(axis) ? (own[along.indexOf(axis)] as number) : 0));
      return [name, [...axes, ...own.slice(along.length)]];
    }),
  );
}

function noteOf({ formulas, scaled, by }: Design, { direct, few, share }: AttendShape): string {
  const terms = formulas.score.terms.map(({ product }) =>
    product ? 'matrix product' : 'reduction of pairs',
  );
  return [
    few ? 'lanes are features and keys' : 'lanes are queries',
    terms.length > 0 ? `scores by ${[...new Set(terms)].join(' and ')}` : 'scores element by element',
    scaled ? 'in powers of two' : 'then lane by lane',
    ...(formulas.cheaper ? ['exponentials outside the loop within their guards'] : []),
    `level by ${by}`,
    direct.length > 0 ? `${direct.join(', ')} in place` : 'rows packed',
    ...(share === 'part'
      ? ['parts of the keys apart']
      : share === 'merge'
        ? ['parts of the keys merged']
        : []),
  ].join(', ');
}

/** Whether an attention runs here. */
export function supportsAttend(program: AttendProgram): true | Unsupported {
  const { normalizer, inputs, cheaper } = program;
  const refuse = (reason: string): Unsupported => ({ reason });
  for (const [name, { type, dtype }] of Object.entries(inputs)) {
    if (dtypes[dtype].element !== type.element)
      return refuse(
        `the cpu backend reads "${name}" as what it is stored as (${dtype}), not as ${type.element}.`,
      );
    if (type.dims.length > 2)
      return refuse(`the cpu backend reads vectors and matrices; "${name}" has more dims.`);
  }
  if (inputs[program.value]?.type.dims.length !== 1) return refuse('the cpu backend averages vectors.');
  const { level } = normalizer;
  const roots: Expr[] = [
    program.score,
    program.mask,
    program.reweight,
    normalizer.weight,
    ...(normalizer.sink ? [normalizer.sink] : []),
    ...(level.by === 'root' ? [level.low, level.high] : []),
    ...Object.values(cheaper?.roots ?? {}),
  ];
  for (const node of reachable(roots.map(asNode))) {
    if (node.op === 'entry' || (node.op === 'at' && node.args[0]?.op !== 'input'))
      return refuse('the cpu backend looks up tables that are inputs; this formula makes one.');
  }
  return true;
}
