// Problems too large to store.
import { conform } from './cases.fixture.ts';

conform(['large']);
