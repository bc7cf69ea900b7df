// One key against 8 queries, whatever the formulas: its weight, and what the pairs give to each input. Nothing that is not
// allowed reaches a sum: its lanes are cut after everything that may be NaN.

import { asExpr, asNode, type Expr, type Node, type NodeOf, reachable } from '@heed/expr';
import { type Cursor, load, type StoredDType } from '../access.ts';
import { isLiteral, isScalar } from '../attend/formula.ts';
import {
  AXIS,
  type Int,
  type Kernel,
  number,
  routine,
  type Site,
  scaled,
  simd,
  strideOn,
  subLanes,
  subWord,
  unitWord,
  type Vector,
} from '../attend/site.ts';
import { TileSource } from '../attend/source.ts';
import { ExpressionWriter } from '../expression.ts';
import type { Lanes, Simd } from '../simd.ts';
import type { Callee } from '../wasm/index.ts';
import type { GradientDesign, Part } from './design.ts';
import { stageOf } from './excess.ts';
import { eachPlace, put } from './put.ts';
import { setVectors, upstreamAt } from './rows.ts';

/** What is known of a pair before it gives anything away. */
interface Seen {
  readonly s: Simd;
  readonly writer: ExpressionWriter;
  readonly key: Int;
  readonly allowed: Lanes;
  readonly weight: Lanes;
  readonly reweight: Lanes | null;
  readonly slope: Lanes | null;
  readonly byLevel: Lanes | null;
  /** Gradient of context . value + gradient of the weight; and times the reweight. */
  readonly up: Lanes;
  readonly g: Lanes;
}

/** sums(key): adds a pair's share of what all pairs of its row share. */
export const writeSumsOfPair = (kernel: Kernel, gradient: GradientDesign): Callee =>
  routine(kernel, ['i32'], (site, key) =>
    see(site, gradient, key, ({ s, allowed, g, byLevel }) => {
      if (!byLevel) return;
      setVectors(site, 'sumB', s.op('f32x4.add', subLanes(site, 'sumB'), s.op('v128.and', byLevel, allowed)));
      if (gradient.sums !== 'sweep') return;
      const both = s.op('f32x4.mul', g, byLevel);
      setVectors(site, 'sumGB', s.op('f32x4.add', subLanes(site, 'sumGB'), s.op('v128.and', both, allowed)));
    }),
  );

/** pair(key): adds what a pair gives to the inputs. */
export const writePair = (kernel: Kernel, gradient: GradientDesign): Callee =>
  routine(kernel, ['i32'], (site, key) => see(site, gradient, key, (seen) => giveAll(site, gradient, seen)));

/** Computes what a pair is, and goes on if any of the 8 is allowed. */
function see(site: Site, gradient: GradientDesign, key: Int, then: (seen: Seen) => void): void {
  const { code } = site;
  const { program } = gradient;
  const { of } = program;
  const s = simd(site, 2);
  const scores: Lanes[] = [];
  const given = stageOf(
    gradient,
    s,
    () => scores[0] as Lanes,
    (name) => subLanes(site, name),
  );
  const writer = new ExpressionWriter(
    s,
    new TileSource(site, { rows: [{ key, line: key }] }, given),
    of.sizes,
  );
  const write = (root: Expr): Lanes => s.variables(writer.write(root)[0] as Lanes);
  const everything = isLiteral(asNode(of.mask), 1);
  const valid = subLanes(site, 'valid');
  const allowed = everything ? valid : s.variables(s.op('v128.and', write(of.mask), valid));
  const any = code.op('v128.or', allowed[0] as Vector, allowed[1] as Vector);
  code.if(code.op('v128.any_true', code.let('v128', any)), () => {
    scores.push(write(of.score));
    const reweight = isLiteral(asNode(of.reweight), 1) ? null : write(of.reweight);
    const up = upstreamOf(site, gradient, writer, key);
    then({
      s,
      writer,
      key,
      allowed,
      weight: write(of.normalizer.weight),
      reweight,
      slope: program.weightByScore && write(program.weightByScore),
      byLevel: program.weightByLevel && write(program.weightByLevel),
      up,
      g: reweight ? s.op('f32x4.mul', reweight, up) : up,
    });
  });
}

/** Gradient of context . value + gradient of the weight. */
function upstreamOf(site: Site, gradient: GradientDesign, writer: ExpressionWriter, key: Int): Lanes {
  const s = simd(site, 2);
  const { program, features } = gradient;
  const sum = s.variables(program.upstream.weights ? weightsAt(site, gradient, key) : s.zero());
  if (program.upstream.context) {
    const { of } = program;
    const { type, along } = of.inputs[of.value] as (typeof of.inputs)[string];
    const value = {
      op: 'input',
      type,
      args: [],
      data: { name: of.value, along },
    } as unknown as NodeOf<'input'>;
    eachPlace(site, writer, features, (at, flat) => {
      const one = at.length === 0 ? writer.source.scalar(value) : writer.source.element(value, at);
      s.assign(sum, s.madd(upstreamAt(site, flat), one, sum));
    });
  }
  return sum;
}

/** The gradient of the weights of a key: whole, or that of their blocks, which weights were averaged in over queries. */
export function weightsAt(site: Site, { program, pool }: GradientDesign, key: Int): Lanes {
  const { code } = site;
  const s = simd(site, 2);
  const name = 'grad$weights';
  const dtype = program.of.dtype as StoredDType;
  const [byQuery, byKey] = [strideOn(site, name, AXIS.query), strideOn(site, name, AXIS.key)];
  const base = unitWord(site, `base:${name}`);
  if (pool === 1) {
    const pointer = scaled(site, scaled(site, base, key, byKey), subWord(site, 'query'), byQuery);
    const cursor: Cursor = { dtype, step: 'any', pointer, stride: byQuery };
    return load(s, cursor, subWord(site, 'left'));
  }
  const column = scaled(site, base, code.let('i32', code.op('i32.div_u', key, pool)), byKey);
  const queries = subLanes(site, 'queries');
  const length = number(site, 'queryLength');
  const found = s.variables(s.zero());
  for (let lane = 0; lane < 8; lane++) {
    const query = code.let('i32', code.lane('i32x4.extract_lane', lane % 4, queries[lane >> 2] as Vector));
    const block = code.let('i32', code.op('i32.div_u', query, pool));
    const pointer = scaled(site, column, block, byQuery);
    const one = load(s.withGroup(1), { dtype, step: 'repeat', pointer, stride: pointer }, null)[0] as Vector;
    // The last block may have fewer queries.
    const rest = code.let(
      'i32',
      code.op('i32.sub', length, code.let('i32', code.op('i32.mul', block, pool))),
    );
    const count = code.select('i32', code.get(rest), code.i32(pool), code.op('i32.lt_u', rest, pool));
    const queriesOfBlock = code.let('f32', code.op('f32.convert_i32_s', count));
    const share = code.let(
      'f32',
      code.op('f32.div', code.lane('f32x4.extract_lane', 0, one), queriesOfBlock),
    );
    const to = found[lane >> 2] as Vector;
    code.set(to, code.lane('f32x4.replace_lane', lane % 4, to, share));
  }
  return found;
}

/** Writes what no loop over features changes ahead of it. */
function writeScalars(writer: ExpressionWriter, roots: readonly Node[]): void {
  for (const node of reachable(roots)) if (isScalar(node) && node.op !== 'const') writer.part(node, []);
}

function giveAll(site: Site, gradient: GradientDesign, seen: Seen): void {
  const { s, writer, key, allowed, weight, reweight, slope, up, g } = seen;
  const rho = gradient.sums === 'none' ? null : subLanes(site, 'rho');
  const away = s.variables(rho ? s.op('f32x4.sub', g, rho) : g);
  const factors: { readonly [stage in Part['stage']]?: Lanes } = {
    weight: away,
    reweight: s.op('f32x4.mul', weight, up),
    ...(slope ? { score: s.op('f32x4.mul', slope, away) } : {}),
  };
  writeScalars(
    writer,
    gradient.pair.flatMap(({ value, indices }) => [value, ...indices]),
  );
  for (const { stage, target, value, indices } of gradient.pair) {
    const factor = factors[stage];
    if (!factor) continue;
    const place = { key, allowed, indices: indices.map((index) => writer.write(asExpr(index))[0] as Lanes) };
    eachPlace(site, writer, target.sizes, (at, flat) => {
      const lanes = s.op('f32x4.mul', factor, writer.part(value, at));
      put(site, target, s.op('v128.and', lanes, allowed), at, flat, place);
    });
  }
  const { value } = gradient;
  if (!value) return;
  const taken = reweight ? s.op('f32x4.mul', weight, reweight) : weight;
  const place = { key, allowed, indices: [] };
  eachPlace(site, writer, value.sizes, (at, flat) => {
    const lanes = s.op('f32x4.mul', taken, upstreamAt(site, flat));
    put(site, value, s.op('v128.and', lanes, allowed), at, flat, place);
  });
}
