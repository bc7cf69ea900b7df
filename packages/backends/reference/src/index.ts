// @heed/reference: what every program means, in float64.

export { type ReferenceOptions, reference } from './open.ts';
