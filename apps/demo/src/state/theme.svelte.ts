// The theme of the system, for pictures that are made of pixels and cannot follow a style sheet.

import { MediaQuery } from 'svelte/reactivity';

const query = new MediaQuery('prefers-color-scheme: dark');

export const theme = {
  get dark(): boolean {
    return query.current;
  },
};
