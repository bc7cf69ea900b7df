// The systems of a backend's benchmark, by its name.

import type { System } from './systems.ts';

/** Only one backend's are loaded. @throws Error for a backend that is not measured. */
export async function systemsOf(backend: string): Promise<readonly System[]> {
  if (backend === 'cpu') return (await import('./systems.ts')).systems;
  if (backend === 'webgpu') return (await import('./webgpu/systems.ts')).systems;
  throw new Error(`there is no benchmark of a backend "${backend}"`);
}
