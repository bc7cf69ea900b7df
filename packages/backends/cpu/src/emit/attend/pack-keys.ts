// Rows of keys that are not read where they lie: converted to float32, features side by side, a block at a time. And the
// rows that the cheaper score reads, computed from these.

import { asExpr, type Node, type NodeOf, reachable } from '@heed/expr';
import type { AttendInput } from '@heed/tensor';
import { type Cursor, load } from '../access.ts';
import { ExpressionWriter, type Position, type Source } from '../expression.ts';
import { lanewise } from '../lanewise.ts';
import type { Lanes } from '../simd.ts';
import type { Row } from './formula.ts';
import { dtypeOf, sideOf, sizeIn, widthOf } from './layout.ts';
import {
  AXIS,
  add,
  each,
  FIRST_OWN,
  type Int,
  type Site,
  scaled,
  setUnit,
  simd,
  strideOn,
  unitWord,
  type Vector,
} from './site.ts';
import { TileSource } from './source.ts';

/** The bytes of a packed row. */
const packedStep = (site: Site, name: string): number => widthOf(site.design.program, name) * 4;

/** Points to the rows of a block of keys, packing those that are not read in place. */
export function writeKeyRows(site: Site, names: readonly string[]): void {
  const { code, design, direct, layout, unit } = site;
  const [block, count] = [unitWord(site, 'block'), unitWord(site, 'count')];
  for (const name of names) {
    const { along } = design.program.inputs[name] as AttendInput;
    const moves = along.includes('key');
    const stride = strideOn(site, name, AXIS.key);
    const from = scaled(site, unitWord(site, `base:${name}`), block, stride);
    if (direct.has(name)) {
      setUnit(site, `row:${name}`, from);
      setUnit(site, `step:${name}`, stride);
      continue;
    }
    const area = add(site, unit, layout.unit.at(`keys:${name}`));
    setUnit(site, `row:${name}`, area);
    setUnit(site, `step:${name}`, moves ? packedStep(site, name) : 0);
    const rows = moves ? count : code.let('i32', 1);
    writePacking(site, name, from, stride, rows, area);
  }
}

/** Rows as float32, one behind the other. What a last vector has too much is overwritten by the next row, or padding. */
function writePacking(site: Site, name: string, from: Int, stride: Int, rows: Int, area: Int): void {
  const { code, design, steps } = site;
  const { type } = design.program.inputs[name] as AttendInput;
  const dtype = dtypeOf(design.program, name);
  const width = widthOf(design.program, name);
  if (width === 0) return;
  const s = simd(site, 1);
  const feature = strideOn(site, name, FIRST_OWN + type.lookups);
  const step = steps[`${name}:features`] ?? 'any';
  const bytes = { float32: 4, int32: 4, float16: 2, bfloat16: 2, int8: 1, bool: 1 }[dtype];
  const [row, to] = [code.let('i32', from), code.let('i32', area)];
  each(site, 0, rows, 1, () => {
    const [pointer, out, left] = [code.let('i32', row), code.let('i32', to), code.let('i32', width)];
    const cursor: Cursor = { dtype, step, pointer, stride: feature };
    code.loop((again) => {
      code.access('v128.store', 0, out, load(s, cursor, left)[0] as Vector);
      if (step === 'unit') code.set(pointer, code.op('i32.add', pointer, 4 * bytes));
      else if (step === 'any') code.set(pointer, code.op('i32.add', code.op('i32.shl', feature, 2), pointer));
      code.set(out, code.op('i32.add', out, 16));
      code.branchIf(again, code.op('i32.gt_s', code.tee(left, code.op('i32.sub', left, 4)), 0));
    });
    code.set(row, code.op('i32.add', row, stride));
    code.set(to, code.op('i32.add', to, width * 4));
  });
}

/** Vectors along neither queries nor keys, one number behind the other. */
export function writeSharedRows(site: Site): void {
  const { code, design, layout, unit } = site;
  const s = simd(site, 1);
  const source = new TileSource(site, { rows: [] });
  for (const name of layout.operands.shared) {
    const width = widthOf(design.program, name);
    const dtype = dtypeOf(design.program, name);
    const to = add(site, unit, layout.unit.at(`shared:${name}`));
    const pointer = unitWord(site, `base:${name}`);
    const stride = strideOn(site, name, FIRST_OWN);
    each(site, 0, width, 1, () => {
      const found = load(s, { dtype, step: 'repeat', pointer, stride }, null)[0] as Vector;
      code.memoryLane('v128.store32_lane', 0, 0, to, found);
      code.set(to, code.op('i32.add', to, 4));
      code.set(pointer, code.op('i32.add', pointer, stride));
    });
  }
  const { cheaper } = design.formulas;
  if (!cheaper) return;
  for (const row of cheaper.rows)
    if (sideOf(row.along) === 'shared')
      writeRow(site, row, source, add(site, unit, layout.unit.at(`shared:${row.name}`)));
  setUnit(site, 'sharedGuard', 1);
  for (const { input, limit } of cheaper.guards) {
    const found = design.program.inputs[input];
    if (sideOf(found?.along ?? []) !== 'shared') continue;
    const pointer = unitWord(site, `base:${input}`);
    const stride = strideOn(site, input, FIRST_OWN);
    const dtype = dtypeOf(design.program, input);
    each(site, 0, widthOf(design.program, input), 1, () => {
      const lanes = load(s, { dtype, step: 'repeat', pointer, stride }, null);
      checkGuard(site, lanes, limit, 'sharedGuard');
      code.set(pointer, code.op('i32.add', pointer, stride));
    });
  }
}

function checkGuard(site: Site, lanes: Lanes, limit: number, word: 'sharedGuard' | 'keyGuard'): void {
  const { code } = site;
  const s = simd(site, 1);
  const good = s.op('f32x4.le', s.op('f32x4.abs', lanes), s.float(limit));
  const bad = code.op('i32.eqz', code.op('i32x4.all_true', good[0] as Vector));
  code.if(bad, () => setUnit(site, word, 0));
}

/** A row computed number by number, all lanes alike. */
function writeRow(site: Site, { body }: Row, source: TileSource, to: Int): void {
  const { code, design } = site;
  const s = simd(site, 1);
  const writer = new ExpressionWriter(s, source, design.program.sizes);
  const put = (lanes: Lanes): void => {
    code.memoryLane('v128.store32_lane', 0, 0, to, s.vector(lanes, 0));
    code.set(to, code.op('i32.add', to, 4));
  };
  if (body.type.dims.length === 0) put(writer.write(asExpr(body))[0] as Lanes);
  else writer.each(sizeIn(design.program, body.type.dims[0] as string), (at) => put(writer.part(body, [at])));
}

/** Lanes are features: four numbers of a row at once. */
class FeatureSource implements Source {
  readonly #site: Site;
  readonly #others: TileSource;
  readonly #rows: ReadonlyMap<string, Int>;

  constructor(site: Site, others: TileSource, rows: ReadonlyMap<string, Int>) {
    this.#site = site;
    this.#others = others;
    this.#rows = rows;
  }

  scalar(input: NodeOf<'input'>): Lanes {
    return this.#others.scalar(input);
  }

  element(input: NodeOf<'input'>, [at]: readonly Position[]): Lanes {
    const { code, layout, unit } = this.#site;
    const row = this.#rows.get(input.data.name);
    const [base, offset] = row ? [row, 0] : [unit, layout.unit.at(`shared:${input.data.name}`)];
    return [code.let('v128', code.load('v128.load', scaled(this.#site, base, at as Position, 4), offset))];
  }

  lookup(table: Node, indices: readonly Lanes[], at: readonly Position[]): Lanes {
    return this.#others.lookup(table, indices, at);
  }
}

/** The rows along keys that the cheaper score reads, and whether its guards hold for this block of keys. */
export function writeCheaperKeys(site: Site): void {
  const { code, design, layout, unit } = site;
  const { cheaper } = design.formulas;
  if (!cheaper) return;
  const [block, count] = [unitWord(site, 'block'), unitWord(site, 'count')];
  setUnit(site, 'keyGuard', 1);
  const rows = cheaper.rows.filter(({ along }) => sideOf(along) === 'key');
  const guards = cheaper.guards.filter(
    ({ input }) => sideOf(design.program.inputs[input]?.along ?? []) === 'key',
  );
  if (rows.length === 0 && guards.length === 0) return;
  const pointers = new Map(layout.operands.keys.map((name) => [name, unitWord(site, `row:${name}`)]));
  const ends = rows.map(({ name }) => add(site, unit, layout.unit.at(`keys:${name}`)));
  const s = simd(site, 1);
  each(site, 0, count, 1, (at) => {
    const key = code.let('i32', code.op('i32.add', at, block));
    const others = new TileSource(
      site,
      { rows: [{ key, line: at }] },
      new Map(),
      new Map([...pointers].map(([name, row]) => [name, [row]])),
    );
    rows.forEach((row, i) => {
      const to = ends[i] as Int;
      if (!isElementwise(site, row.body)) {
        writeRow(site, row, others, to);
        return;
      }
      const size = sizeIn(design.program, row.body.type.dims[0] as string);
      const out = code.let('i32', to);
      const source = new FeatureSource(site, others, pointers);
      each(site, 0, size, 4, (feature) => {
        const writer = new ExpressionWriter(s, source, design.program.sizes);
        code.access('v128.store', 0, out, s.vector(writer.part(row.body, [feature]), 0));
        code.set(out, code.op('i32.add', out, 16));
      });
      code.set(to, code.op('i32.add', to, size * 4));
    });
    for (const { input, limit } of guards) writeGuard(site, input, limit, pointers.get(input), others);
    for (const [name, row] of pointers)
      code.set(row, code.op('i32.add', row, unitWord(site, `step:${name}`)));
  });
}

/** Whether four neighbouring numbers of a vector can be computed at once from vectors whose numbers are side by side. */
function isElementwise(site: Site, body: Node): boolean {
  const { operands } = site.layout;
  if (body.type.dims.length !== 1) return false;
  const beside = new Set([...operands.keys, ...operands.shared]);
  return [...reachable([body])].every((node) => {
    if (node.type.dims.length === 0) return node.op === 'input' || node.op === 'const' || node.op in lanewise;
    return node.op === 'input' ? beside.has(node.data.name) : node.op in lanewise;
  });
}

function writeGuard(site: Site, name: string, limit: number, row: Int | undefined, source: TileSource): void {
  const { code, design } = site;
  const { type } = design.program.inputs[name] as AttendInput;
  const s = simd(site, 1);
  if (!row || type.dims.length !== 1) {
    // A scalar, or what no tile reads row by row: number by number.
    const node = {
      op: 'input',
      type,
      args: [],
      data: { name, along: ['key'] },
    } as unknown as NodeOf<'input'>;
    if (type.dims.length === 0) checkGuard(site, source.scalar(node), limit, 'keyGuard');
    else setUnit(site, 'keyGuard', 0);
    return;
  }
  const width = widthOf(design.program, name);
  const good = s.variables(s.int(-1));
  const test = (lanes: Lanes): void =>
    s.assign(good, s.op('v128.and', good, s.op('f32x4.le', s.op('f32x4.abs', lanes), s.float(limit))));
  const pointer = code.let('i32', row);
  each(site, 0, width >> 2, 1, () => {
    test([code.let('v128', code.load('v128.load', pointer))]);
    code.set(pointer, code.op('i32.add', pointer, 16));
  });
  for (let rest = 0; rest < width % 4; rest++)
    test([code.let('v128', code.load('v128.load32_splat', pointer, rest * 4))]);
  const bad = code.op('i32.eqz', code.op('i32x4.all_true', good[0] as Vector));
  code.if(bad, () => setUnit(site, 'keyGuard', 0));
}
