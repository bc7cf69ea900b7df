// How much of a device's memory is in use: buffers, from creation to destruction, of every device that comes out of a GPU.

export class Meter {
  #now = 0;
  #peak = 0;
  #largest = 0;

  /** Bytes that lived at once at most, and bytes of the largest buffer. */
  get reading(): { readonly peakBytes: number; readonly largestBytes: number } {
    return { peakBytes: this.#peak, largestBytes: this.#largest };
  }

  watch(gpu: GPU): void {
    const requestAdapter = gpu.requestAdapter.bind(gpu);
    gpu.requestAdapter = async (options) => {
      const adapter = await requestAdapter(options);
      if (adapter) this.#watchAdapter(adapter);
      return adapter;
    };
  }

  #watchAdapter(adapter: GPUAdapter): void {
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      const createBuffer = device.createBuffer.bind(device);
      device.createBuffer = (asked) => this.#count(createBuffer(asked));
      return device;
    };
  }

  #count(buffer: GPUBuffer): GPUBuffer {
    const { size } = buffer;
    this.#now += size;
    this.#peak = Math.max(this.#peak, this.#now);
    this.#largest = Math.max(this.#largest, size);
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) this.#now -= size;
      alive = false;
      return destroy();
    };
    return buffer;
  }
}
