// The option of layers that takes an initialiser.

import { type Initializer, isInitializer } from '../initial/initializer.ts';
import { valueOption } from './options.ts';

export const initialOption = valueOption<Initializer>(
  'an initialiser such as initial.glorotUniform()',
  isInitializer,
);
