// Activations: functions of one number that a score's layers may be given by name.

import { gelu, relu, sigmoid, tanh, type Unary } from '@heed/expr';

/** By the name that an option has for them. */
export const activations = { tanh, relu, gelu, sigmoid } as const satisfies Readonly<Record<string, Unary>>;
