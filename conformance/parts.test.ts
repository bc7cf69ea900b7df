// Scores, normalizers, and what is made of them.
import { conform } from './cases.fixture.ts';

conform([
  'score',
  'additive',
  'luong',
  'local',
  'location',
  'normalize',
  'normattn',
  'numerics',
  'pooling',
  'coattention',
  'linear',
]);
