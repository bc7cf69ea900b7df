// @heed/normalizers: from the scores of a row to its weights, one a file.

export { entmax } from './entmax.ts';
export { entmax15 } from './entmax-15.ts';
export { hard } from './hard.ts';
export { identity } from './identity.ts';
export { relu } from './relu.ts';
export { sigmoid } from './sigmoid.ts';
export { softmax } from './softmax.ts';
export { sparsemax } from './sparsemax.ts';
