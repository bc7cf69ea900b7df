// Every figure of the documentation: the file that is kept, and what makes it.

import { additiveFigure, multiplicativeFigure } from './alignment.ts';
import { multiHeadFigure } from './heads.ts';
import { masksFigure } from './masks.ts';
import { modifiersFigure } from './modifiers.ts';
import { localFigure } from './near.ts';
import { normalizersFigure } from './normalizers.ts';
import { positionsFigure } from './positions.ts';
import { scoresFigure } from './scores.ts';
import { selfFigure } from './sentences.ts';

export const figures: Readonly<Record<string, () => Promise<string>>> = {
  'additive.svg': additiveFigure,
  'local.svg': localFigure,
  'masks.svg': masksFigure,
  'modifiers.svg': modifiersFigure,
  'normalizers.svg': normalizersFigure,
  'scores.svg': scoresFigure,
  'multi-head.svg': multiHeadFigure,
  'multiplicative.svg': multiplicativeFigure,
  'positions.svg': positionsFigure,
  'self.svg': selfFigure,
};
