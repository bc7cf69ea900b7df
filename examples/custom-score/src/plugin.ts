// What this package offers, as a value. Importing it registers nothing.

import type { Plugin } from 'heed';
import { translated } from './translated.ts';

export const plugin = { name: '@heed-example/custom-score', scores: [translated] } satisfies Plugin;
