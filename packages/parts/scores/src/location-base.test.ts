import { attention } from '@heed/attention';
import { reference } from '@heed/reference';
import { openDevice, tensor, zeros } from '@heed/tensor';
import { expect, it } from 'vitest';
import { softmaxOf } from './decoder.fixture.ts';
import { locationBase } from './location-base.ts';
import { message, paramsOf } from './pair.fixture.ts';

const w = [
  [1, 0],
  [0, 1],
  [2, -1],
];

it('weighs positions by what the query says of them, whatever the keys hold', async () => {
  const device = await openDevice(reference());
  const attend = attention({ score: locationBase(), normalizer: softmaxOf() });
  const query = tensor(device, [[0.5, 2]]);
  const params = { w: tensor(device, w) };
  const key = tensor(device, [[9], [-9], [0]]);
  expect(await attend.scores(query, key, { params }).toNested()).toEqual([[0.5, 2, -1]]);
  // Two keys use the first two positions.
  expect(await attend.scores(query, key.slice(0, 0, 2), { params }).toNested()).toEqual([[0.5, 2]]);
  await device.close();
});

it('refuses keys that have no position', async () => {
  const device = await openDevice(reference());
  const attend = attention({ score: locationBase(), normalizer: softmaxOf() });
  const [query, key] = [zeros(device, [1, 2]), zeros(device, [4, 1])];
  expect(message(() => attend(query, key, key, { params: { w: tensor(device, w) } }))).toMatchInlineSnapshot(
    `"ShapeError: attention: score location-base: there are 4 keys and 3 positions, the rows of w. Give w more rows, or cut keys and values: key.slice(-2, 0, 3)."`,
  );
  await device.close();
});

it('trains a row for each position', () => {
  expect(paramsOf(locationBase({ positions: 9 }))).toEqual([
    'w: mat(positions, queryFeature), scaled-normal',
  ]);
});
