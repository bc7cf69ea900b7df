// Conventions of other libraries, and what is left of them here.

import { reference } from '@heed/reference';
import { openDevice, tensor } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { message, picture } from '../picture.fixture.ts';
import { fromFlashWindow } from './flash.ts';
import { fromAttentionMask } from './hugging-face.ts';
import { fromKerasWindow } from './keras.ts';
import { fromCumulativeLengths } from './packed.ts';
import { fromAttnMask, fromKeyPaddingMask } from './torch.ts';

const square = { queries: 6, keys: 6 };

describe('a window of 3', () => {
  it("is three keys where Keras' attention is causal, and five where it is not", () => {
    expect(picture(fromKerasWindow(3, { causal: true }), square)[4]).toBe('..###.');
    expect(picture(fromKerasWindow(3), square)[3]).toBe('.#####');
    expect(picture(fromKerasWindow(1), square)[3]).toBe('...#..');
  });

  it('is four keys to the left of FlashAttention', () => {
    expect(picture(fromFlashWindow(3, 0), square)[4]).toBe('.####.');
    expect(picture(fromFlashWindow(3, 9, { causal: true }), square)[4]).toBe('.####.');
  });
});

describe('fromFlashWindow', () => {
  it('has no bound where -1 stands', () => {
    expect(picture(fromFlashWindow(-1, 0), square)[3]).toBe('####..');
    expect(picture(fromFlashWindow(1, -1), square)[3]).toBe('..####');
    expect(picture(fromFlashWindow(-1, -1), square)[3]).toBe('######');
  });

  it('puts the last query at the last key, or the first at the first', () => {
    const few = { queries: 2, keys: 5 };
    expect(picture(fromFlashWindow(1, 0), few)).toEqual(['..##.', '...##']);
    expect(picture(fromFlashWindow(1, 0, { align: 'start' }), few)).toEqual(['#....', '##...']);
  });

  it('refuses what is no window', () => {
    expect(message(() => fromFlashWindow(-2, 0))).toMatchInlineSnapshot(
      `"ValueError: fromFlashWindow: left expects a whole number of at least -1, got -2."`,
    );
    expect(message(() => fromKerasWindow(0))).toMatchInlineSnapshot(
      `"ValueError: fromKerasWindow: the window expects a whole number of at least 1, got 0."`,
    );
  });
});

describe('tensors of other libraries', () => {
  it("turn PyTorch's masks round and give batch and heads an axis each", async () => {
    const device = await openDevice(reference());
    const padded = tensor(device, [
      [false, true],
      [false, false],
    ]);
    expect(await fromKeyPaddingMask(padded).toNested()).toEqual([[[[true, false]]], [[[true, true]]]]);
    const square = tensor(device, [
      [false, true],
      [false, false],
    ]);
    expect(await fromAttnMask(square).toNested()).toEqual([
      [
        [
          [true, false],
          [true, true],
        ],
      ],
    ]);
    const each = tensor(device, [[[true]], [[false]], [[false]], [[true]]]);
    expect(await fromAttnMask(each, { heads: 2 }).toNested()).toEqual([
      [[[false]], [[true]]],
      [[[true]], [[false]]],
    ]);
    await device.close();
  });

  it('keep ones and drop zeros', async () => {
    const device = await openDevice(reference());
    const ones = tensor(device, [[0, 1, 1]], { dtype: 'int32' });
    expect(await fromAttentionMask(ones).toNested()).toEqual([[[[false, true, true]]]]);
    await device.close();
  });

  it('say what is expected in their place', async () => {
    const device = await openDevice(reference());
    const floats = tensor(device, [[0, -1e9]]);
    const three = tensor(device, [[[true]], [[true]], [[true]]]);
    expect(message(() => fromKeyPaddingMask(floats))).toMatchInlineSnapshot(
      `"DTypeError: fromKeyPaddingMask: expected booleans, got Tensor(float32 [1, 2]). A float mask is added to the scores: use the modifier bias and the mask biasAllows. Of ones and zeros, say which leaves out: notEqual(mask, 0)."`,
    );
    expect(message(() => fromKeyPaddingMask(three))).toMatchInlineSnapshot(
      `"ShapeError: fromKeyPaddingMask: expected [batch, key], got [3, 1, 1]."`,
    );
    expect(message(() => fromAttnMask(three, { heads: 2 }))).toMatchInlineSnapshot(
      `"ShapeError: fromAttnMask: expected [query, key] or [batch * 2 heads, query, key], got [3, 1, 1]. Say how many heads there are: { heads }."`,
    );
    expect(message(() => fromAttentionMask(floats))).toMatchInlineSnapshot(
      `"DTypeError: fromAttentionMask: expected ints, 1 for a token and 0 for padding, got Tensor(float32 [1, 2]). A float mask is added to the scores: use the modifier bias and the mask biasAllows."`,
    );
    expect(message(() => fromAttentionMask(three))).toMatchInlineSnapshot(
      `"ShapeError: fromAttentionMask: expected [batch, key], got [3, 1, 1]."`,
    );
    await device.close();
  });
});

describe('fromCumulativeLengths', () => {
  it('numbers the sequences', () => {
    expect([...fromCumulativeLengths([0, 3, 3, 5])]).toEqual([0, 0, 0, 2, 2]);
    expect([...fromCumulativeLengths([0])]).toEqual([]);
  });

  it('refuses lengths where they should be summed', () => {
    expect(message(() => fromCumulativeLengths([3, 2]))).toMatchInlineSnapshot(
      `"ValueError: fromCumulativeLengths: entry 1 expects a whole number of at least 3, got 2."`,
    );
    expect(message(() => fromCumulativeLengths([3, 5]))).toMatchInlineSnapshot(
      `"ValueError: fromCumulativeLengths: expected a list that begins with 0 and ends with the number of positions, got [3, 5]."`,
    );
  });
});
