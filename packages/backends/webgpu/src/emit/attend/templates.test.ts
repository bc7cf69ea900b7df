import { softmax } from '@heed/normalizers';
import { additive, scaledDot } from '@heed/scores';
import type { AttendProgram, Axis } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { programOf } from '../../../../trials/scene.fixture.ts';
import { least, type Machine } from '../machine.ts';
import type { Layout, Plan } from '../plan.ts';
import { planAttend } from './plan.ts';

type Lengths = Readonly<Record<Axis, number>>;

const WIDTH = 64;
const dots = programOf(
  { score: scaledDot(), normalizer: softmax() },
  { features: WIDTH, valueFeatures: WIDTH },
);

function dense(shape: readonly number[]): Layout {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((all, size) => all * size, 1));
  return { shape, strides, offset: 0 };
}

function planOf(program: AttendProgram, lengths: Partial<Lengths>, machine: Machine = least): Plan {
  const all: Lengths = { batch: 1, head: 8, keyHead: 8, query: 1, key: 4096, ...lengths };
  const layouts: Record<string, Layout> = {
    'out:context': dense([all.batch, all.head, all.query, WIDTH]),
    'out:level': dense([all.batch, all.head, all.query]),
  };
  for (const [name, { along, type }] of Object.entries(program.inputs))
    layouts[name] = dense([
      ...along.map((axis) => all[axis]),
      ...type.dims.map((dim) => program.sizes[dim] ?? WIDTH),
    ]);
  const { batch, head, keyHead, query, key } = all;
  const sizes = { batches: batch, heads: head, keyHeads: keyHead, queryLength: query, keyLength: key };
  return planAttend(program, layouts, machine, sizes);
}

const shown = (plan: Plan): string => plan.notes.join('\n');
const sourceOf = ({ dispatches }: Plan): string => dispatches[0]?.emit().code ?? '';

/** Bytes of workgroup memory that a shader declares. */
const workgroupBytes = (code: string): number =>
  [...code.matchAll(/var<workgroup> \w+: array<(.+), (\d+)>;/g)].reduce(
    (sum, [, element, length]) => sum + (element === 'vec4<f32>' ? 16 : 4) * Number(length),
    0,
  );

describe('templates', () => {
  it('splits keys for few queries, with as many rows in a tile as there are', () => {
    expect(shown(planOf(dots, {}))).toMatch(/keys in 16 chunks of 256, merged in order; 1 rows a workgroup/);
    expect(shown(planOf(dots, { query: 3 }))).toContain('4 rows a workgroup');
    expect(shown(planOf(dots, { keyHead: 1 }))).toContain('8 rows a workgroup, of the 8 heads that share');
  });

  it('splits keys for some more queries where the device would be idle', () => {
    expect(shown(planOf(dots, { query: 32 }))).toContain('32 rows a workgroup');
    expect(shown(planOf(dots, { query: 33 }))).toContain('tiles of 32 queries');
    expect(shown(planOf(dots, { query: 32, batch: 64 }))).toContain('tiles of 32 queries');
    expect(shown(planOf(dots, { query: 8, batch: 64 }))).toContain('8 rows a workgroup');
    // What has guards for tiles of rows keeps them.
    const guarded = programOf(
      { score: additive({ hidden: WIDTH }), normalizer: softmax() },
      { features: WIDTH, valueFeatures: WIDTH },
    );
    expect(shown(planOf(guarded, { query: 32 }))).toContain('tiles of 32 queries');
  });

  it('takes fewer chunks where fewer workgroups keep the device busy', () => {
    expect(shown(planOf(dots, {}, { ...least, busy: 16 }))).toContain('keys in 2 chunks of 2048');
  });

  it('gives an invocation eight rows where there are enough of them', () => {
    const machine = { ...least, workgroupBytes: 32768 };
    expect(shown(planOf(dots, { query: 4096 }, machine))).toContain('tiles of 64 queries by 32 keys, 8 by 4');
    expect(shown(planOf(dots, { query: 2048 }, machine))).toContain('tiles of 32 queries by 32 keys, 4 by 4');
    expect(shown(planOf(dots, { query: 4096 }))).toContain('tiles of 32 queries');
  });

  it('takes no workgroup memory for keys that one invocation alone reads', () => {
    const code = sourceOf(planOf(dots, {}));
    expect(workgroupBytes(code)).toBeLessThanOrEqual(4096);
    // Barriers of the exchanges only: no row of keys is waited for.
    expect(code.match(/workgroupBarrier/g)?.length).toBeLessThan(10);
  });

  it('reads several elements of a row for each step of the loop around a product', () => {
    const code = sourceOf(planOf(dots, { query: 64 }));
    expect(code).toMatch(/i_0 < 32; i_0 \+= 4\)/);
  });
});
