// What stands between a formula and its first result: tracing, composing, planning, differentiating; and what a pair
// costs on the reference backend. Prints a table and writes results/latency.json. No peers: this is heed against itself.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { attention, parameters } from '@heed/attention';
import { causal } from '@heed/masks';
import { softmax } from '@heed/normalizers';
import { reference } from '@heed/reference';
import { additive, scaledDot } from '@heed/scores';
import { openDevice, parameter, scope, sum, uniform } from '@heed/tensor';
import { type Measured, measure } from './measure.ts';

const device = await openDevice(reference());
const length = 128;
const feature = 64;
const row = (stream: number) => uniform(device, [1, 1, length, feature], { seed: 1, stream });
const [query, key, value] = [row(0), row(1), row(2)];
const options = { score: additive(), mask: causal(), normalizer: softmax() };
const attend = attention(options);
const params = parameters(attend, device, { seed: 1, sizes: { queryFeature: feature, keyFeature: feature } });
const dots = attention({ score: scaledDot(), normalizer: softmax() });
const leaves = [query, key, value].map((one) => parameter(one.detach()));
const pairs = length * length;

const rows: Record<string, { readonly per: string; readonly scale: number; readonly time: Measured }> = {
  'define and compose an additive attention': {
    per: 'µs',
    scale: 1e3,
    time: await measure(() => attention({ ...options, score: additive() })),
  },
  'plan and explain it, nothing known before': {
    per: 'ms',
    scale: 1,
    time: await measure(() => attention(options).explain(query, key, value, { params })),
  },
  'call it again, 1 x 1, nothing to compute': {
    per: 'µs',
    scale: 1e3,
    time: await measure(() => {
      const one = (of: typeof query) => of.slice(2, 0, 1);
      return scope(device, () => void attend(one(query), one(key), one(value), { params }));
    }),
  },
  'scaled dot product, forward': {
    per: 'ns a pair',
    scale: 1e6 / pairs,
    time: await measure(() => scope(device, () => void dots(query, key, value))),
  },
  'scaled dot product, forward and backward': {
    per: 'ns a pair',
    scale: 1e6 / pairs,
    time: await measure(() =>
      scope(device, () => {
        const [q, k, v] = leaves as [typeof query, typeof query, typeof query];
        sum(dots(q, k, v)).backward();
      }),
    ),
  },
};

const table = Object.entries(rows).map(([what, { per, scale, time }]) => ({
  what,
  median: Number((time.median * scale).toPrecision(3)),
  unit: per,
  'half lie in': `${(time.low * scale).toPrecision(3)} to ${(time.high * scale).toPrecision(3)}`,
  runs: time.runs,
}));
console.table(table);
const results = new URL('../results/', import.meta.url);
mkdirSync(results, { recursive: true });
writeFileSync(
  new URL('latency.json', results),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, length, feature, table }, null, 2)}\n`,
);
await device.close();
