import type { DType } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { least } from '../machine.ts';
import type { Operand } from './operand.ts';
import { pack } from './pack.ts';

const operand = (name: string, shape: number[], strides: number[], dtype: DType = 'float32'): Operand => ({
  name,
  tensor: name,
  type: { element: 'float', dims: ['feature'], lookups: 0 },
  dtype,
  along: shape.slice(1).map((_, i) => (['head', 'query'] as const)[i] ?? 'key'),
  layout: { shape, strides, offset: 3 },
  computed: false,
});

const named = (...all: Operand[]): Record<string, Operand> =>
  Object.fromEntries(all.map((one) => [one.name, one]));
const machine = { ...least, storageBuffers: 3 };

describe('pack', () => {
  const [large, middle, small] = [
    operand('large', [8, 8], [8, 1]),
    operand('middle', [4, 4], [1, 4]),
    operand('small', [2], [5], 'bool'),
  ];
  const all = named(large, middle, small);

  it('leaves operands where they are as long as shaders can bind them', () => {
    const reads = new Set(['large', 'middle', 'small', 'nothing of these']);
    expect(pack(all, [{ reads, others: 0 }], machine)).toEqual({
      operands: all,
      dispatches: [],
      scratch: {},
      notes: [],
    });
  });

  it('moves the smallest side by side, until the rest can be bound', () => {
    const reads = new Set(['large', 'middle', 'small']);
    const { operands, scratch, dispatches } = pack(all, [{ reads, others: 1 }], machine);
    expect(operands.large).toBe(large);
    expect(operands.small?.layout).toEqual({ shape: [2], strides: [1], offset: 0 });
    expect(operands.middle?.layout).toEqual({ shape: [4, 4], strides: [4, 1], offset: 2 });
    expect(scratch).toEqual({ packed: (2 + 16) * 4 });
    expect(dispatches.map(({ numbers }) => numbers)).toEqual([
      { groups: 1, total: 2, to: 0 },
      { groups: 1, total: 16, to: 2 },
    ]);
  });

  it('moves only what a crowded shader reads', () => {
    const shaders = [
      { reads: new Set(['small']), others: 1 },
      { reads: new Set(['large', 'middle']), others: 2 },
    ];
    const { operands } = pack(all, shaders, machine);
    expect(operands.small).toBe(small);
    expect([operands.middle, operands.large].map((one) => one?.packed)).toEqual([true, true]);
  });

  it('copies once what is repeated, and nothing of what is empty', () => {
    const repeated = operand('repeated', [5, 3, 4], [0, 1, 0]);
    const empty = operand('empty', [0, 3], [0, 1]);
    const reads = new Set(['repeated', 'empty']);
    const { operands, scratch, dispatches } = pack(named(repeated, empty), [{ reads, others: 2 }], machine);
    expect(operands.repeated?.layout).toEqual({ shape: [5, 3, 4], strides: [0, 1, 0], offset: 0 });
    expect(scratch).toEqual({ packed: 3 * 4 });
    expect(dispatches).toHaveLength(1);
  });

  it('makes room for any number of inputs', () => {
    const many = Array.from({ length: 50 }, (_, i) => operand(`input${i}`, [i + 1], [1]));
    const reads = new Set(many.map(({ name }) => name));
    const { operands } = pack(named(...many), [{ reads, others: 1 }], machine);
    expect(new Set(Object.values(operands).map(({ tensor }) => tensor)).size).toBe(2);
  });
});
