// Everything once more on the cpu backend: on two threads, in memory that holds NaN where nobody wrote.
import { cpu } from '@heed/cpu';
import { conform, familiesOfData } from './cases.fixture.ts';

conform(familiesOfData, {
  backend: cpu({ threads: 2, poison: true }),
  short: {
    'numerics/big-logits':
      'scores of 1e4: the level that gradients are recomputed from is stored in float32, which leaves the gradients 3e-4 off',
  },
});
