// Writes the figures: pnpm figures. Those kept in the repository are what it writes, which a test checks.

import { writeFileSync } from 'node:fs';
import { figures } from './figures.ts';

for (const [file, make] of Object.entries(figures)) {
  writeFileSync(new URL(file, import.meta.url), await make());
  console.log(`docs/figures/${file}`);
}
