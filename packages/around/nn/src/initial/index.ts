// Initialisers by their names in the field.

export { constant } from './constant.ts';
export { glorotNormal, glorotUniform } from './glorot.ts';
export { heNormal, heUniform } from './he.ts';
export { identity } from './identity.ts';
export { normal } from './normal.ts';
export { orthogonal } from './orthogonal.ts';
export { uniform } from './uniform.ts';
