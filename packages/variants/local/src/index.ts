// @heed/local: attention near one place, as layers: Luong's in a sequence, and that of an image's places to those around them.

export type { Memory } from '@heed/nn';
export { type Local, type LocalCall, type LocalResult, localAttention } from './local.ts';
export {
  type Neighborhood,
  type NeighborhoodCall,
  type NeighborhoodResult,
  neighborhoodAttention,
} from './neighborhood.ts';
