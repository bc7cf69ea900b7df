// From nothing to the first result, heed.

import { attention } from '@heed/attention';
import { cpu } from '@heed/cpu';
import { softmax } from '@heed/normalizers';
import { scaledDot } from '@heed/scores';
import { openDevice, tensor } from '@heed/tensor';
import { numbers, shape } from './numbers.ts';

const device = await openDevice(cpu({ threads: 1 }));
const [query, key, value] = [numbers(1), numbers(2), numbers(3)].map((data) =>
  tensor(device, data, { shape }),
);
const attend = attention({ score: scaledDot(), normalizer: softmax() });
const context = await attend(query!, key!, value!).read();
console.log(`done ${context[0]}`);
process.exit(0);
