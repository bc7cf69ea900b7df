// Turning the recording of gradients off for a while.

import type { Device } from '../device.ts';
import { GradientError } from '../errors.ts';

/**
 * Runs `body` with recording off: results are not tracked, whatever they are made of.
 *
 * @throws GradientError if `body` returns a promise: recording would be on again before it resumes.
 */
export function withoutGradients<T>(device: Device, body: () => T): T {
  const before = device.current.recording;
  device.current.recording = false;
  try {
    const result = body();
    if (
      typeof result === 'object' &&
      result !== null &&
      'then' in result &&
      typeof result.then === 'function'
    ) {
      throw new GradientError(
        'withoutGradients: expected a function that returns at once, got one that returns a promise; recording would be on ' +
          'again before it goes on. Wrap the parts between the awaits.',
      );
    }
    return result;
  } finally {
    device.current.recording = before;
  }
}
