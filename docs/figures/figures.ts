// Every figure of the documentation: the file that is kept, and what makes it.

import { masksFigure } from './masks.ts';

export const figures: Readonly<Record<string, () => Promise<string>>> = {
  'masks.svg': masksFigure,
};
