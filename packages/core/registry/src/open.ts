// Opening a device along the list that the user wrote, and never along another.

import { BackendError, type BackendPlugin, type Device, openDevice } from '@heed/tensor';

/** A device, and why those before it in the list were passed over. */
export interface Opened {
  readonly device: Device;
  readonly passedOver: readonly PassedOver[];
}
export interface PassedOver {
  readonly name: string;
  readonly reason: string;
}

/**
 * Opens the first backend of the list that can be opened here.
 *
 * @throws BackendError with the reason of each, where none can. Any other error is a fault and comes through as it is.
 */
export async function openFirst(backends: readonly BackendPlugin[]): Promise<Opened> {
  const passedOver: PassedOver[] = [];
  const causes: BackendError[] = [];
  for (const backend of backends) {
    try {
      return { device: await openDevice(backend), passedOver };
    } catch (problem) {
      if (!(problem instanceof BackendError)) throw problem;
      causes.push(problem);
      passedOver.push({ name: backend.name, reason: problem.message });
    }
  }
  const reasons = passedOver.map(({ name, reason }) => `\n  ${name}: ${reason}`);
  throw new BackendError(
    `none of these backends can be opened here:${reasons.join('') || ' the list is empty.'}`,
    { cause: causes },
  );
}

/**
 * A backend whose package is loaded when it is opened, so that a list of names costs nothing.
 *
 * @example lazyBackend('reference', async () => (await import('@heed/reference')).reference())
 */
export const lazyBackend = <const Name extends string>(
  name: Name,
  load: () => Promise<BackendPlugin>,
): BackendPlugin<Name> => ({
  kind: 'backend',
  name,
  open: async () => {
    const loaded = await load().catch((cause: unknown) => {
      throw new BackendError(
        `its package could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    });
    return loaded.open();
  },
});
