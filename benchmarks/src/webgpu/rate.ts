// How many multiply-adds in float32 a device does at most: measured with shaders that do nothing else.

/** A shader of so many independent chains: enough to hide how long one takes, few enough to stay in registers. */
interface Design {
  readonly chains: number;
  readonly invocations: number;
  /** Whether WGSL's fma is called, or a product and a sum are left to the compiler of the driver. */
  readonly fused: boolean;
}

const designs: readonly Design[] = [4, 8, 12].flatMap((chains) =>
  [64, 256].flatMap((invocations) => [true, false].map((fused) => ({ chains, invocations, fused }))),
);

/** Multiply-adds of a chain in one step of the loop. */
const STEPS = 8;
const WORKGROUPS = 1024;
const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;
const MAP_READ = 0x1;

/** The factors come from outside, so that nothing is known before; values stay between 0 and 1 and never become subnormal. */
function shaderOf({ chains, invocations, fused }: Design): string {
  const names = Array.from({ length: chains }, (_, i) => `c${i}`);
  const step = names
    .map((name) => (fused ? `${name} = fma(${name}, a, b);` : `${name} = ${name} * a + b;`))
    .join(' ');
  return `
    struct Given { factor: f32, summand: f32, rounds: u32, workgroups: u32 }
    @group(0) @binding(0) var<uniform> given: Given;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(${invocations})
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let a = vec4f(given.factor);
      let b = vec4f(given.summand);
      let x = f32(id.x % 64u) / 64.0;
      ${names.map((name, i) => `var ${name} = vec4f(x, x + 0.1, x + 0.2, x + 0.3) * ${(1 / (i + 2)).toFixed(6)};`).join('\n')}
      for (var round = 0u; round < given.rounds; round++) {
        ${Array.from({ length: STEPS }, () => step).join('\n')}
      }
      let sum = ${names.join(' + ')};
      out[id.x] = sum.x + sum.y + sum.z + sum.w;
    }`;
}

export interface Rate {
  /** Floating-point operations a second; a multiply-add is two. */
  readonly flops: number;
  readonly design: Design;
}

/** The fastest design, each the best of a few runs that last long enough. */
export async function measureRate(device: GPUDevice): Promise<Rate> {
  let best: Rate | undefined;
  for (const design of designs) {
    if (design.invocations > device.limits.maxComputeInvocationsPerWorkgroup) continue;
    const flops = await rateOf(device, design);
    if (!best || flops > best.flops) best = { flops, design };
  }
  return best as Rate;
}

/** Seconds that a run lasts at least: launching it takes a small part of that. */
const LONG = 0.05;
const RUNS = 3;

async function rateOf(device: GPUDevice, design: Design): Promise<number> {
  const module = device.createShaderModule({ code: shaderOf(design) });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const words = WORKGROUPS * design.invocations;
  const out = device.createBuffer({ size: words * 4, usage: STORAGE | COPY_SRC });
  const given = device.createBuffer({ size: 16, usage: UNIFORM | COPY_DST });
  const staging = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [given, out].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const seconds = async (workgroups: number, rounds: number): Promise<number> => {
    const data = new ArrayBuffer(16);
    new Float32Array(data, 0, 2).set([0.75, 0.25]);
    new Uint32Array(data, 8, 2).set([rounds, workgroups]);
    device.queue.writeBuffer(given, 0, data);
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    staging.unmap();
    return (performance.now() - start) / 1000;
  };
  // On little work first: the first run compiles, and a device in software takes long for much.
  let [workgroups, rounds] = [16, 16];
  await seconds(workgroups, rounds);
  let took = await seconds(workgroups, rounds);
  while (took < LONG) {
    if (workgroups < WORKGROUPS) workgroups *= 2;
    else rounds *= 2;
    took = await seconds(workgroups, rounds);
  }
  for (let i = 1; i < RUNS; i++) took = Math.min(took, await seconds(workgroups, rounds));
  for (const buffer of [out, given, staging]) buffer.destroy();
  return (2 * 4 * design.chains * STEPS * rounds * workgroups * design.invocations) / took;
}
