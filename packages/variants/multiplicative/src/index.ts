// @heed/multiplicative: Luong's global attention as a layer.

export type { Memory } from '@heed/nn';
export {
  type Multiplicative,
  type MultiplicativeCall,
  type MultiplicativeResult,
  multiplicativeAttention,
} from './multiplicative.ts';
