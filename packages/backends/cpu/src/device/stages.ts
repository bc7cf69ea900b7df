// Plans of several jobs: one after the other, with memory for what one leaves to the next.

import type { Allocation, Backend, Call, View } from '@heed/tensor';
import type { Plan } from '../emit/plan.ts';

/** Runs a plan and those after it, with the memory that they share among the inputs. */
export function eachStage(
  backend: Backend,
  plan: Plan,
  call: Call,
  run: (plan: Plan, call: Call) => void,
): void {
  if (!plan.after) {
    if (plan.units > 0) run(plan, call);
    return;
  }
  const held: Allocation[] = [];
  try {
    const inputs: Record<string, View> = { ...call.inputs };
    for (const [name, bytes] of Object.entries(plan.between ?? {})) {
      const allocation = backend.allocate(bytes);
      held.push(allocation);
      inputs[name] = { allocation, dtype: 'float32', shape: [bytes / 4], strides: [1], offset: 0 };
    }
    for (let stage: Plan | undefined = plan; stage; stage = stage.after)
      if (stage.units > 0) run(stage, { ...call, inputs });
  } finally {
    for (const allocation of held) backend.free(allocation);
  }
}
