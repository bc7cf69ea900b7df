// A function of the kernel while it is being written: its code, and where the memory that it works on lies.

import type { KernelWriter } from '../kernel.ts';
import type { Simd } from '../simd.ts';
import type { Callee, Code, Local } from '../wasm/index.ts';
import { axisNames, type Term } from './formula.ts';
import type { Design, Layout } from './layout.ts';

export type Int = Local<'i32'>;
export type Vector = Local<'v128'>;

/** What all functions of one kernel have in common. */
export interface Kernel {
  readonly writer: KernelWriter;
  readonly design: Design;
  readonly layout: Layout;
  readonly steps: Readonly<Record<string, 'unit' | 'repeat' | 'any'>>;
  readonly direct: ReadonlySet<string>;
  /** Fewer queries than lanes. */
  readonly few: boolean;
  /** How many records go through matrix products side by side: their lanes are the columns of the tile. */
  readonly abreast: 1 | 2;
  /** The product that records abreast are given at once, in their tiles, before their scores; null where there is none. */
  readonly joint: Term | null;
}

export interface Site extends Kernel {
  readonly code: Code;
  readonly frame: Int;
  readonly pool: Int;
  /** The memory of the unit of work. */
  readonly unit: Int;
  /** The record of the 8 queries at hand. */
  readonly sub: Int;
}

/** A function of the kernel that works on a unit and one record of it; more numbers follow. */
export function routine<const N extends readonly 'i32'[]>(
  kernel: Kernel,
  more: N,
  write: (site: Site, ...params: { readonly [I in keyof N]: Int }) => void,
): Callee {
  return kernel.writer.module.function(
    undefined,
    ['i32', 'i32', 'i32', ...more] as const,
    undefined,
    (code, frame, unit, sub, ...rest) => {
      const pool = code.let('i32', code.load('i32.load', frame, kernel.writer.word({ of: 'pool' })));
      write(
        { ...kernel, code, frame, pool, unit, sub },
        ...(rest as unknown as { readonly [I in keyof N]: Int }),
      );
    },
  );
}

export const call = (
  { code, frame, unit, sub }: Site,
  callee: Callee,
  ...more: readonly (Int | number)[]
): void => {
  code.call(callee, frame, unit, sub, ...more);
};

export const simd = ({ writer, code, pool }: Site, group: number): Simd => writer.simd(code, pool, group);

/** Words of the unit's and of the record's memory. */
export const unitWord = ({ code, unit, layout }: Site, name: string): Int =>
  code.let('i32', code.load('i32.load', unit, layout.unit.at(name)));
export const subWord = ({ code, sub, layout }: Site, name: string): Int =>
  code.let('i32', code.load('i32.load', sub, layout.sub.at(name)));
export const setUnit = ({ code, unit, layout }: Site, name: string, value: Int | number): void => {
  code.access('i32.store', layout.unit.at(name), unit, value);
};
export const setSub = ({ code, sub, layout }: Site, name: string, value: Int | number): void => {
  code.access('i32.store', layout.sub.at(name), sub, value);
};

/** A number that the planner gives. */
export const number = ({ code, frame, writer }: Site, name: string): Int =>
  code.let('i32', code.load('i32.load', frame, writer.word({ of: 'number', name })));

/** The bytes from one element of a tensor to the next along an axis: batch, head, keyHead, query, key, lookups, dims. */
export const strideOn = ({ code, frame, writer }: Site, tensor: string, axis: number): Int =>
  code.let('i32', code.load('i32.load', frame, writer.word({ of: 'stride', tensor, axis })));

export const AXIS = { batch: 0, head: 1, keyHead: 2, query: 3, key: 4 } as const;
/** The first axis behind those of the attention: lookups, then dims. */
export const FIRST_OWN = axisNames.length;

export const add = ({ code }: Site, a: Int, b: Int | number): Int =>
  code.let('i32', code.op('i32.add', a, b));
/** base + index * step */
export const scaled = ({ code }: Site, base: Int, index: Int, step: Int | number): Int =>
  code.let('i32', code.op('i32.add', code.op('i32.mul', index, step), base));

export const least = ({ code }: Site, a: Int, b: Int | number): Int =>
  code.let(
    'i32',
    code.select(
      'i32',
      code.get(a),
      typeof b === 'number' ? code.i32(b) : code.get(b),
      code.op('i32.lt_s', a, b),
    ),
  );
export const most = ({ code }: Site, a: Int, b: Int | number): Int =>
  code.let(
    'i32',
    code.select(
      'i32',
      code.get(a),
      typeof b === 'number' ? code.i32(b) : code.get(b),
      code.op('i32.gt_s', a, b),
    ),
  );

/** For `from` up to `to` in steps. */
export function each(
  { code }: Site,
  from: Int | number,
  to: Int | number,
  step: number,
  write: (at: Int) => void,
): void {
  const at = code.let('i32', from);
  code.block((end) => {
    code.branchIf(end, code.op('i32.ge_s', at, to));
    code.loop((again) => {
      write(at);
      code.branchIf(again, code.op('i32.lt_s', code.tee(at, code.op('i32.add', at, step)), to));
    });
  });
}

export const loadLanes = ({ code }: Site, from: Int, offset: number): readonly [Vector, Vector] => [
  code.let('v128', code.load('v128.load', from, offset)),
  code.let('v128', code.load('v128.load', from, offset + 16)),
];

export function storeLanes({ code }: Site, to: Int, offset: number, lanes: readonly Vector[]): void {
  lanes.forEach((vector, i) => {
    code.access('v128.store', offset + 16 * i, to, vector);
  });
}

/** Lanes of the record, by name. */
export const subLanes = (site: Site, name: string): readonly [Vector, Vector] =>
  loadLanes(site, site.sub, site.layout.sub.at(name));
export const setSubLanes = (site: Site, name: string, lanes: readonly Vector[]): void => {
  storeLanes(
    site,
    site.sub,
    site.layout.sub.at(name),
    lanes.length === 1 ? [lanes[0] as Vector, lanes[0] as Vector] : lanes,
  );
};
