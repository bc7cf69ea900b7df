// From a dispatch of a plan to work on its way: shader, arguments, bind group.

import { BackendError } from '@heed/tensor';
import type { Machine } from '../emit/machine.ts';
import type { Dispatch } from '../emit/plan.ts';
import { ArgumentRing, argumentsOf, type Given } from './arguments.ts';
import { BindGroups } from './bind-groups.ts';
import type { Part } from './binding.ts';
import type { Failures } from './failures.ts';
import { Pipelines, type Shaders } from './pipelines.ts';
import type { Recorder } from './recorder.ts';
import type { Timed } from './timer.ts';

export class Launcher {
  readonly pipelines: Pipelines;
  readonly #machine: Machine;
  readonly #groups: BindGroups;
  readonly #ring: ArgumentRing;

  constructor(device: GPUDevice, failures: Failures, machine: Machine) {
    this.#machine = machine;
    this.pipelines = new Pipelines(device, failures);
    this.#groups = new BindGroups(device, failures);
    this.#ring = new ArgumentRing(device);
  }

  /**
   * Records a dispatch.
   *
   * @param label the kind of the program, for messages.
   * @param partOf what is bound, by the names of `Bound`.
   */
  launch(
    recorder: Recorder,
    label: string,
    shaders: Shaders,
    dispatch: Dispatch,
    partOf: (tensor: string) => Part | undefined,
    given: Omit<Given, 'numbers'>,
    timed: Timed,
  ): void {
    const { shader, pipeline, layout } = this.pipelines.get(label, shaders, dispatch);
    const words = argumentsOf(label, shader.slots, { ...given, numbers: dispatch.numbers });
    const bound = shader.buffers.map(({ tensor }) => {
      const part = partOf(tensor);
      if (!part)
        throw new BackendError(`webgpu: ${label}: "${dispatch.key}" binds "${tensor}", which nobody gave.`);
      return part;
    });
    const { x, y } = this.#fold(label, dispatch);
    if (!this.#ring.fits(words.byteLength)) recorder.flush();
    const page = { buffer: this.#ring.page, offset: 0, size: words.byteLength };
    const bindGroup = this.#groups.get(label, layout, page, bound);
    const argumentsAt = this.#ring.put(words);
    recorder.dispatch({
      label,
      pipeline,
      bindGroup,
      argumentsAt,
      x,
      y,
      touches: bound.map(({ buffer }) => buffer),
      timed,
    });
  }

  /** Writes the arguments of what is about to be submitted. */
  upload(): void {
    this.#ring.upload();
  }

  /** Forgets what would keep a buffer alive. */
  forget(buffer: GPUBuffer): void {
    this.#groups.forget(buffer);
  }

  close(): void {
    for (const page of this.#ring.pages) page.destroy();
  }

  /** A row of groups that is too long, as several; the last may be longer than what is left (see ShaderWriter.finish). */
  #fold(label: string, { key, groups }: Dispatch): { readonly x: number; readonly y: number } {
    const { workgroups } = this.#machine;
    const y = Math.ceil(groups / workgroups);
    if (!Number.isInteger(groups) || groups < 1 || y > workgroups) {
      throw new BackendError(
        `webgpu: ${label}: "${key}": expected 1 to ${workgroups} * ${workgroups} workgroups, got ${groups}. Split the tensor.`,
      );
    }
    return { x: Math.ceil(groups / y), y };
  }
}
