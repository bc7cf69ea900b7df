import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  axesOf,
  axisOf,
  broadcastShapes,
  expandStrides,
  isContiguous,
  type Layout,
  reshapeStrides,
  rowMajor,
  sizeOfShape,
} from './shape.ts';

/** Where each element lies, row-major. */
function places({ shape, strides, offset }: Layout): number[] {
  return Array.from({ length: sizeOfShape(shape) }, (_, i) => {
    let rest = i;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  });
}

/** A permuted, stepped, partly repeated look at something. */
const layouts = fc
  .array(
    fc.record({
      size: fc.integer({ min: 1, max: 4 }),
      step: fc.integer({ min: 1, max: 2 }),
      repeat: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .chain((axes) => {
    const strides = rowMajor(axes.map(({ size, step }) => size * step)).map((stride, i) =>
      axes[i]!.repeat ? 0 : stride * axes[i]!.step,
    );
    return fc.shuffledSubarray([...axes.keys()], { minLength: axes.length }).map((order) => ({
      shape: order.map((axis) => axes[axis]!.size),
      strides: order.map((axis) => strides[axis]!),
      offset: 0,
    }));
  });

/** The ways to cut a size into factors, one of them. */
const factored = (size: number): fc.Arbitrary<number[]> =>
  fc.infiniteStream(fc.integer({ min: 1, max: 8 })).map((stream) => {
    const shape: number[] = [];
    for (let rest = size; rest > 1; ) {
      const wished = stream.next().value as number;
      const divisor =
        Array.from({ length: rest }, (_, i) => i + 1).filter((one) => rest % one === 0)[wished % rest] ??
        rest;
      shape.push(divisor);
      rest /= divisor;
    }
    return shape;
  });

describe('reshapeStrides', () => {
  it('shows the same elements in the same order, or says that it cannot', () => {
    const cases = layouts.chain((from) => factored(sizeOfShape(from.shape)).map((to) => ({ from, to })));
    fc.assert(
      fc.property(cases, ({ from, to }) => {
        const strides = reshapeStrides(from, to);
        if (strides) expect(places({ shape: to, strides, offset: 0 })).toEqual(places(from));
        else expect(isContiguous(from)).toBe(false);
      }),
    );
  });

  it('always can for what lies without gaps', () => {
    fc.assert(
      fc.property(
        layouts.chain(({ shape }) => fc.tuple(fc.constant(shape), factored(sizeOfShape(shape)))),
        ([shape, to]) => {
          expect(reshapeStrides({ shape, strides: rowMajor(shape) }, to)).not.toBeNull();
        },
      ),
    );
  });

  it('gives back the strides of an unchanged shape', () => {
    fc.assert(
      fc.property(layouts, (from) => {
        const strides = reshapeStrides(from, from.shape)!;
        expect(places({ ...from, strides })).toEqual(places(from));
      }),
    );
  });

  it('cannot merge the axes of a transposed matrix', () => {
    expect(reshapeStrides({ shape: [3, 2], strides: [1, 3] }, [6])).toBeNull();
  });
});

describe('broadcastShapes', () => {
  it('aligns at the last axis and repeats sizes of one', () => {
    expect(broadcastShapes('add', [[4, 1, 3], [2, 1], []])).toEqual([4, 2, 3]);
    expect(
      broadcastShapes('add', [
        [0, 1],
        [1, 3],
      ]),
    ).toEqual([0, 3]);
  });

  it('gives shapes that every operand expands to', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 2, 3), { maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        (shape, ones) => {
          const other = shape.map((size, i) => (ones[i] ? 1 : size));
          const both = broadcastShapes('add', [shape, other]);
          expect(both).toEqual(shape);
          expect(expandStrides({ shape: other, strides: rowMajor(other) }, both)).not.toBeNull();
        },
      ),
    );
  });
});

describe('axes', () => {
  it('count from the end when negative', () => {
    expect(axisOf('sum', -1, 3)).toBe(2);
    expect(axesOf('sum', [-1, 0], 3)).toEqual([2, 0]);
    expect(axesOf('sum', undefined, 2)).toEqual([0, 1]);
  });
});
