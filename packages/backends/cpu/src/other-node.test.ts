// What is promised of Node 20 holds there: tests themselves run under a newer one.

import { expect, it } from 'vitest';
import { judge, otherNode } from '../scripts/judge.ts';

it('keeps the laws and passes the conformance cases in another Node', { timeout: 240_000 }, async ({
  skip,
}) => {
  const node = otherNode();
  if (node === null) skip(`there is no other Node than ${process.version} on the path`);
  const { printed, held } = await judge(node as string);
  expect(held, printed).toBe(true);
  expect(printed.trim()).toMatch(/^Node v\d+\.\d+\.\d+: \d{3} laws, \d{3,} cases, 0 failed$/);
});
