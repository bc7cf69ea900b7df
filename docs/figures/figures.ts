// Every figure of the documentation: the file that is kept, and what makes it.

import { masksFigure } from './masks.ts';
import { modifiersFigure } from './modifiers.ts';
import { normalizersFigure } from './normalizers.ts';
import { scoresFigure } from './scores.ts';

export const figures: Readonly<Record<string, () => Promise<string>>> = {
  'masks.svg': masksFigure,
  'modifiers.svg': modifiersFigure,
  'normalizers.svg': normalizersFigure,
  'scores.svg': scoresFigure,
};
