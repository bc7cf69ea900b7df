// The figures that are kept are those that heed draws today, and every part is in one.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { defaultRegistry } from '../../packages/heed/src/index.ts';
import { figures } from './figures.ts';
import { maskPanels } from './masks.ts';
import { modifierPanels, reweightPanels } from './modifiers.ts';
import { normalizerPanels } from './normalizers.ts';
import { scorePanels } from './scores.ts';

it.each(Object.entries(figures))('%s is what `pnpm figures` writes', async (file, make) => {
  const kept = readFileSync(new URL(file, import.meta.url), 'utf8');
  // Whole files side by side say nothing that a look at the figure does not.
  expect((await make()) === kept).toBe(true);
});

it('every part has a panel', () => {
  const panels = {
    score: scorePanels,
    mask: maskPanels,
    modifier: modifierPanels,
    reweight: reweightPanels,
    normalizer: normalizerPanels,
  };
  const drawn = Object.entries(panels).flatMap(([kind, of]) =>
    Object.keys(of).map((name) => `${kind} ${name}`),
  );
  const named = defaultRegistry.parts.map(({ kind, name }) => `${kind} ${name}`);
  expect(named.filter((one) => !drawn.includes(one))).toEqual([]);
});
