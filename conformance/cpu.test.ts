// Everything once more on the cpu backend: on two threads, in memory that holds NaN where nobody wrote.
import { cpu } from '@heed/cpu';
import { conform, familiesOfData } from './cases.fixture.ts';

conform(familiesOfData, { backend: cpu({ threads: 2, poison: true }) });
