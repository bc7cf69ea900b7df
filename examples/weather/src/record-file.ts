// The record as a file: where the npm package has put it. Node only.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const recordText = (): string =>
  readFileSync(require.resolve('@observablehq/sample-datasets/weather.csv'), 'utf8');
