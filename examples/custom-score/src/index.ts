// @heed-example/custom-score: a score that heed does not have, as a package of one's own.

export { plugin } from './plugin.ts';
export { translated } from './translated.ts';
