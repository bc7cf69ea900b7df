// Runs families of the data in this folder as tests, one for each case. Unsupported cases are listed, with the reason.

import { fileURLToPath } from 'node:url';
import { reference } from '@heed/reference';
import { type Device, openDevice } from '@heed/tensor';
import { failure, families, openFolder, runCase } from '@heed/testing/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { cases, files } = openFolder(fileURLToPath(new URL('.', import.meta.url)));

/** Every family of the data, so that a test can say that none was forgotten. */
export const familiesOfData = [...new Set(cases.map(({ family }) => family))].sort();

/** @param unsupported the cases that may be unsupported, and that must be: what is gained is to be noticed. */
export function conform(wanted: readonly string[], unsupported: readonly string[] = []): void {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(reference());
  });
  afterAll(() => device.close());

  for (const family of wanted) {
    describe(family, () => {
      for (const of of cases.filter((one) => one.family === family)) {
        it(of.id, { timeout: 60_000 }, async ({ skip }) => {
          const before = device.live;
          const outcome = await runCase(of, files, device, { families });
          expect(device.live).toEqual(before);
          if (outcome.status === 'failed') expect.fail(failure(of, outcome));
          expect({ id: of.id, unsupported: outcome.status === 'unsupported' }).toEqual({
            id: of.id,
            unsupported: unsupported.includes(of.id),
          });
          if (outcome.status === 'unsupported') skip(outcome.reason);
        });
      }
    });
  }
}
