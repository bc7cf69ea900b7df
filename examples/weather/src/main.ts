// node examples/weather/src/main.ts [Seattle | "New York"] [--svg file]
// Prints how far attention is from what was held back, and writes a picture of the best fit.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reference } from '@heed/reference';
import { createHeed } from 'heed';
import { counted } from './counted.ts';
import { createFitter } from './fitter.ts';
import { cities, readRecord } from './record.ts';
import { recordText } from './record-file.ts';
import { reportOn, tableOf } from './report.ts';
import { seriesOf } from './series.ts';
import { svgOf } from './svg.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { svg: { type: 'string', default: join(import.meta.dirname, '..', 'dist', 'weather.svg') } },
});
const city = cities.find((name) => name === (positionals[0] ?? 'Seattle'));
if (!city) {
  console.error(`There is no record of ${positionals[0]}. There are ${cities.join(' and ')}.`);
  process.exit(1);
}

const series = seriesOf(readRecord(recordText(), city), 'weekly');
const held = series.steps.filter((step) => step.held).length;
console.log(`${city}, highest temperature of the day, means of ${series.steps.length} weeks, 2012 to 2015.`);
console.log(
  `Held back: ${held} weeks, ${series.block} in a row. The error is the root mean square on these.\n`,
);

const { backend, kernels } = counted(reference());
const heed = await createHeed({ backend });
const { lines, best } = await reportOn(series, createFitter(heed, series));
await heed.close();
console.log(tableOf(lines));
console.log(`\nBest by cross-validation: ${best.line.label}, ${best.line.bandwidth} days.`);
console.log(`Kernels compiled for all of this: ${kernels()}.`);

const path = resolve(values.svg);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, svgOf(series, best.fit.predictions, `${city}: ${best.line.label}`));
console.log(`Written: ${path}`);
