// Bind groups, kept: a step of training binds the same buffers again and again.

import type { Part } from './binding.ts';
import type { Failures } from './failures.ts';
import type { BindLayout } from './pipelines.ts';

/** So many are kept; then all are forgotten, and those in use are made again. */
const MOST = 2048;

export class BindGroups {
  readonly #device: GPUDevice;
  readonly #failures: Failures;
  readonly #ids = new WeakMap<GPUBuffer, number>();
  readonly #groups = new Map<string, GPUBindGroup>();
  /** By buffer, the groups that it is part of. */
  readonly #within = new Map<GPUBuffer, Set<string>>();
  #next = 0;

  constructor(device: GPUDevice, failures: Failures) {
    this.#device = device;
    this.#failures = failures;
  }

  /** @param page the uniform buffer, and how many of its bytes the shader sees from a dynamic offset on. */
  get(label: string, { id, group: layout }: BindLayout, page: Part, parts: readonly Part[]): GPUBindGroup {
    const all = [page, ...parts];
    const key = `${id}:${all.map(({ buffer, offset, size }) => `${this.#id(buffer)}+${offset}+${size}`).join()}`;
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MOST) {
      this.#groups.clear();
      this.#within.clear();
    }
    const entries = all.map((resource, binding) => ({ binding, resource }));
    const made = this.#failures.watch(`${label}: its buffers could not be bound`, () =>
      this.#device.createBindGroup({ label, layout, entries }),
    );
    this.#groups.set(key, made);
    for (const { buffer } of all) {
      const keys = this.#within.get(buffer) ?? new Set();
      this.#within.set(buffer, keys.add(key));
    }
    return made;
  }

  /** Forgets all groups with a buffer, which they would keep alive. */
  forget(buffer: GPUBuffer): void {
    for (const key of this.#within.get(buffer) ?? []) this.#groups.delete(key);
    this.#within.delete(buffer);
  }

  #id(buffer: GPUBuffer): number {
    const known = this.#ids.get(buffer);
    if (known !== undefined) return known;
    this.#ids.set(buffer, this.#next);
    return this.#next++;
  }
}
