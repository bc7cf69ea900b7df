// Points in the plane that attend to each other, before and after the translation has been learned.

import { createHeed, ops, scope } from 'heed';
import { plugin } from './index.ts';

const heed = (await createHeed()).use(plugin);
const attend = heed.attention({ score: { name: 'translated', sharpness: 4 } });

// Each point should find the next one of the square, which lies one step to the right of it or where it began.
const points = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
];
const starts = [
  [0, 0],
  [0, 1],
];
const left = heed.tensor(starts);
const right = heed.tensor([
  [1, 0],
  [1, 1],
]);
const all = heed.tensor(points);
const params = heed.parameters(attend, { seed: 1, sizes: { feature: 2 } });
const { r } = params;
if (!r) throw new Error('translated has a parameter r');

// Without the sign of what rounds to zero.
const { format } = new Intl.NumberFormat('en', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'negative',
});

const show = async (when: string): Promise<void> => {
  const { weights } = attend(left, all, all, { params, weights: true });
  console.log(`${when}: r = [${Array.from(await r.read(), (one) => format(one)).join(', ')}]`);
  for (const [i, row] of ((await weights.toNested()) as number[][]).entries()) {
    const parts = row.map((weight, j) => `${Math.round(100 * weight)}% to (${points[j]})`);
    console.log(`  (${starts[i]}) attends ${parts.join(', ')}`);
  }
};

await show('before');
for (let step = 0; step < 60; step++) {
  scope(heed.device, () => {
    const error = ops.sub(attend(left, all, all, { params }), right);
    ops.sum(ops.mul(error, error)).backward();
    if (r.gradient) r.assign(ops.sub(r.detach(), ops.mul(r.gradient, 0.1)));
    r.clearGradient();
  });
}
await show('after');
await heed.close();
