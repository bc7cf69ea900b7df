// Runs families of the data in this folder as tests, one for each case. Unsupported cases are listed, with the reason.

import { fileURLToPath } from 'node:url';
import { reference } from '@heed/reference';
import { type BackendPlugin, type Device, openDevice } from '@heed/tensor';
import { failure, families, openFolder, runCase } from '@heed/testing/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { cases, files } = openFolder(fileURLToPath(new URL('.', import.meta.url)));

/** Every family of the data, so that a test can say that none was forgotten. */
export const familiesOfData = [...new Set(cases.map(({ family }) => family))].sort();

interface ConformOptions {
  readonly backend?: BackendPlugin;
  /** At most so many cases of each family, spread over it; all if left out. */
  readonly most?: number;
}

export function conform(
  wanted: readonly string[],
  { backend = reference(), most = Infinity }: ConformOptions = {},
): void {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(backend);
  });
  afterAll(() => device.close());

  for (const family of wanted) {
    describe(family, () => {
      for (const of of spread(
        cases.filter((one) => one.family === family),
        most,
      )) {
        it(of.id, { timeout: 60_000 }, async () => {
          const before = device.live;
          const outcome = await runCase(of, files, device, { families });
          expect(device.live).toEqual(before);
          if (outcome.status === 'failed') expect.fail(failure(of, outcome));
          if (outcome.status === 'unsupported') expect.fail(`${of.id} is not supported: ${outcome.reason}`);
        });
      }
    });
  }
}

/** The first, the last, and what lies at even distances between them. */
const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  all.filter(
    (_, i) =>
      all.length <= most ||
      Array.from({ length: most }, (_, n) => Math.round((n * (all.length - 1)) / (most - 1))).includes(i),
  );
