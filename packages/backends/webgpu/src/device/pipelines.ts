// Shaders made ready: compiled once for each program and key.

import { BackendError } from '@heed/tensor';
import type { Bound, Dispatch, Shader } from '../emit/plan.ts';
import type { Failures } from './failures.ts';
import { COMPUTE } from './usage.ts';

/** A shader that can be dispatched. */
export interface Ready {
  readonly shader: Shader;
  readonly pipeline: GPUComputePipeline;
  readonly layout: BindLayout;
}

/** What several pipelines have in common: the accesses of their bindings, in order. */
export interface BindLayout {
  readonly id: number;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** The shaders of one program, by the keys of their dispatches. */
export type Shaders = Map<string, Ready>;

const refused = (label: string, { key }: Dispatch): string => `${label}: the shader "${key}" was refused`;

/** What the compiler says against a shader, with the lines that it means; if it says nothing, the error that came instead. */
async function reasonsOf(
  module: GPUShaderModule,
  { code }: Shader,
  error: { readonly message: string },
): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const lines = code.split('\n');
  const said = messages
    .filter(({ type }) => type === 'error')
    .map((one) => `line ${one.lineNum}:${one.linePos}: ${one.message}\n  ${lines[one.lineNum - 1] ?? ''}`);
  return said.join('\n') || error.message;
}

const letter = ({ access }: Bound): string => (access === 'read' ? 'r' : 'w');

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #failures: Failures;
  readonly #layouts = new Map<string, BindLayout>();
  readonly #programs = new Map<string, Shaders>();

  constructor(device: GPUDevice, failures: Failures) {
    this.#device = device;
    this.#failures = failures;
  }

  /** What has been made of a program so far. @param text the program's: equal texts share shaders. */
  of(text: string): Shaders {
    const shaders = this.#programs.get(text) ?? new Map();
    this.#programs.set(text, shaders);
    return shaders;
  }

  /** The shader of a dispatch. What its compiler says against it, the next read rejects with. */
  get(label: string, shaders: Shaders, dispatch: Dispatch): Ready {
    const known = shaders.get(dispatch.key);
    if (known) return known;
    const shader = dispatch.emit();
    const { code } = shader;
    const layout = this.#layout(label, shader.buffers);
    const module = this.#failures.quietly(() => this.#device.createShaderModule({ code }));
    const pipeline = this.#failures.watch(
      refused(label, dispatch),
      () => this.#device.createComputePipeline({ label, layout: layout.pipeline, compute: { module } }),
      (error) => {
        // Whoever tries again is told again.
        shaders.delete(dispatch.key);
        return reasonsOf(module, shader, error);
      },
    );
    const ready = { shader, pipeline, layout };
    shaders.set(dispatch.key, ready);
    return ready;
  }

  /** Makes the shader of a dispatch without blocking anybody. @throws BackendError with what its compiler says. */
  async warm(label: string, shaders: Shaders, dispatch: Dispatch): Promise<void> {
    if (shaders.has(dispatch.key)) return;
    const shader = dispatch.emit();
    const { code } = shader;
    const layout = this.#layout(label, shader.buffers);
    const module = this.#failures.quietly(() => this.#device.createShaderModule({ code }));
    const making = this.#failures.quietly(() =>
      this.#device.createComputePipelineAsync({ label, layout: layout.pipeline, compute: { module } }),
    );
    const pipeline = await making.catch(async (cause: Error) => {
      const reasons = await reasonsOf(module, shader, cause);
      throw new BackendError(`webgpu: ${refused(label, dispatch)}: ${reasons}`, { cause });
    });
    if (!shaders.has(dispatch.key)) shaders.set(dispatch.key, { shader, pipeline, layout });
  }

  #layout(label: string, buffers: readonly Bound[]): BindLayout {
    const most = this.#device.limits.maxStorageBuffersPerShaderStage;
    if (buffers.length > most) {
      throw new BackendError(
        `webgpu: ${label}: expected at most ${most} buffers in one shader (maxStorageBuffersPerShaderStage), got ` +
          `${buffers.length}: ${buffers.map(({ tensor }) => tensor).join(', ')}. Give it fewer inputs, by joining or by ` +
          'computing some of them beforehand.',
      );
    }
    const key = buffers.map(letter).join('');
    const known = this.#layouts.get(key);
    if (known) return known;
    const group = this.#device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
        ...buffers.map(
          ({ access }, at): GPUBindGroupLayoutEntry => ({
            binding: at + 1,
            visibility: COMPUTE,
            buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
          }),
        ),
      ],
    });
    const pipeline = this.#device.createPipelineLayout({ bindGroupLayouts: [group] });
    const layout = { id: this.#layouts.size, group, pipeline };
    this.#layouts.set(key, layout);
    return layout;
  }
}
