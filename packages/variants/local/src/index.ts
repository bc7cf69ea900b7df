// @heed/local: Luong's local attention as a layer.

export { type Local, type LocalCall, type LocalResult, localAttention, type Memory } from './local.ts';
