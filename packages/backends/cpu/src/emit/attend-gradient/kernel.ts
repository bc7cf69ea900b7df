// The kernel of a gradient: units of work are a batch, a head of keys and a share of the blocks of queries. What a unit
// gives to inputs that other units share with it gathers in a copy of its own.

import type { AttendGradientProgram } from '@heed/tensor';
import { jointTerm } from '../attend/joint.ts';
import { type AttendShape, abreastOn, type Design, LANES, operandsOf } from '../attend/layout.ts';
import { writeSharedRows } from '../attend/pack-keys.ts';
import {
  AXIS,
  add,
  call,
  each,
  type Int,
  type Kernel,
  least,
  number,
  routine,
  type Site,
  scaled,
  setUnit,
  strideOn,
  unitWord,
} from '../attend/site.ts';
import { type Emitted, KernelWriter } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import type { Callee } from '../wasm/index.ts';
import { designOf, type GradientDesign } from './design.ts';
import { forwardOf } from './forward.ts';
import { layOutGradient, othersOf, QUERIES, SUBS } from './layout.ts';
import { type Tiling, tilingOf } from './products.ts';
import { writePairwise, writeTiled } from './queries.ts';

/** A gradient made ready: what depends on its program alone. */
export interface Prepared {
  readonly gradient: GradientDesign;
  readonly design: Design;
  readonly tiling: Tiling | null;
}

export function prepareGradient(program: AttendGradientProgram): Prepared {
  const gradient = designOf(program);
  const forward = forwardOf(gradient);
  const { design } = forward;
  const { keys } = operandsOf(design.program, design.formulas);
  return { gradient, design, tiling: tilingOf(gradient, forward, [...keys, design.program.value]) };
}

/** Bytes that a thread needs for itself. */
export function scratchOf(
  { gradient, design, tiling }: Prepared,
  shape: AttendShape,
  machine: Machine,
): number {
  const { unit, sub } = layOutGradient(gradient, design, shape, tiling, abreastOn(machine));
  return unit.bytes + SUBS * sub.bytes + 64;
}

export function emitGradient(
  { gradient, design, tiling }: Prepared,
  shape: AttendShape,
  machine: Machine,
  checked: boolean,
): Emitted {
  const writer = new KernelWriter(machine, checked);
  const abreast = abreastOn(machine);
  const layout = layOutGradient(gradient, design, shape, tiling, abreast);
  const kernel: Kernel = {
    writer,
    design,
    layout,
    steps: shape.steps,
    direct: new Set(shape.direct),
    few: false,
    abreast,
    // Formulas of pairs read the terms of other scores.
    joint: tiling && design.scaled ? jointTerm(design) : null,
  };
  return writer.run((body) => {
    const { code, frame, scratch, begin, end } = body;
    const head = writeHead(kernel, gradient, tiling);
    const unit = code.let('i32', code.op('i32.and', code.op('i32.add', scratch, 63), -64));
    const sub = code.let('i32', code.op('i32.add', unit, layout.unit.bytes));
    const site: Site = { ...kernel, code, frame, pool: body.pool, unit, sub };
    const [chunks, units] = [number(site, 'chunks'), number(site, 'keyHeadUnits')];
    each(site, begin, end, 1, (at) => {
      const rest = code.let('i32', code.op('i32.div_u', at, chunks));
      setUnit(site, 'chunk', code.let('i32', code.op('i32.rem_u', at, chunks)));
      const batches = code.let('i32', code.op('i32.div_u', rest, units));
      const keyHeads = code.let('i32', code.op('i32.rem_u', rest, units));
      eachOf(site, 'batch', batches, () =>
        eachOf(site, 'keyHead', keyHeads, (keyHead) => {
          eachHead(site, keyHead, (own) => {
            setUnit(site, 'head', own);
            call(site, head);
          });
        }),
      );
    });
  });
}

/** Visits a unit's share of an axis: one place of it, or all. */
function eachOf(site: Site, axis: 'batch' | 'keyHead', share: Int, write: (at: Int) => void): void {
  const { code } = site;
  const span = number(site, `${axis}Span`);
  const from = code.let('i32', code.op('i32.mul', share, span));
  each(site, from, code.let('i32', code.op('i32.add', from, span)), 1, (at) => {
    setUnit(site, axis, at);
    write(at);
  });
}

/** Visits the heads that read a head of keys: query head h reads floor(h keyHeads / heads). */
function eachHead(site: Site, keyHead: Int, write: (head: Int) => void): void {
  const { code } = site;
  const [heads, keyHeads] = [number(site, 'heads'), number(site, 'keyHeads')];
  const ceiling = (of: Int): Int => {
    const product = code.op('i32.mul', of, heads);
    const up = code.op('i32.add', product, add(site, keyHeads, -1));
    return code.let('i32', code.op('i32.div_u', up, keyHeads));
  };
  each(site, ceiling(keyHead), ceiling(add(site, keyHead, 1)), 1, write);
}

/** head(): the unit's queries of one head. */
function writeHead(kernel: Kernel, gradient: GradientDesign, tiling: Tiling | null): Callee {
  const { program, targets } = gradient;
  const share = routine(kernel, [], writeSharedRows);
  const block = tiling ? writeTiled(kernel, gradient, tiling) : writePairwise(kernel, gradient);
  return routine(kernel, [], (site) => {
    const { code } = site;
    for (const name of Object.keys(program.of.inputs)) setBase(site, name);
    for (const name of othersOf(gradient)) setBase(site, name);
    for (const { gathered } of targets) setBase(site, gathered, number(site, `chunk:${gathered}`));
    call(site, share);
    const length = number(site, 'queryLength');
    const first = code.let('i32', code.op('i32.mul', unitWord(site, 'chunk'), QUERIES));
    const step = code.let('i32', code.op('i32.mul', number(site, 'chunks'), QUERIES));
    code.block((done) => {
      code.loop((next) => {
        code.branchIf(done, code.op('i32.ge_s', first, length));
        setUnit(site, 'first', first);
        const rows = least(site, code.let('i32', code.op('i32.sub', length, first)), QUERIES);
        setUnit(site, 'rows', rows);
        setUnit(site, 'subs', code.let('i32', code.op('i32.shr_u', add(site, rows, LANES - 1), 3)));
        call(site, block);
        code.set(first, code.op('i32.add', first, step));
        code.branch(next);
      });
    });
  });
}

/** Where a tensor begins for the unit's batch, head and head of keys. */
function setBase(site: Site, name: string, chunk: Int | null = null): void {
  const { code, frame, writer } = site;
  let base = code.let('i32', code.load('i32.load', frame, writer.word({ of: 'address', tensor: name })));
  for (const axis of ['batch', 'head', 'keyHead'] as const)
    base = scaled(site, base, unitWord(site, axis), strideOn(site, name, AXIS[axis]));
  if (chunk) base = scaled(site, base, unitWord(site, 'chunk'), chunk);
  setUnit(site, `base:${name}`, base);
}
