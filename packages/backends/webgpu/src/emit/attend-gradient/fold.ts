// Adds the parts of a gradient, always in the same order, and stores the sums as the result is stored.

import { elementAt, type Operand, operandClass } from '../attend/operand.ts';
import { leave } from '../attend/prefill.ts';
import { fold, type Team } from '../fold.ts';
import type { Machine } from '../machine.ts';
import type { Dispatch } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { store } from '../storage.ts';
import { product } from '../walk.ts';

const INVOCATIONS = 64;

/** @param parts the memory that holds them; null where there is nothing to add: the result is zero. */
export function planFold(
  result: Operand,
  parts: { readonly tensor: string; readonly chunks: number } | null,
  machine: Machine,
): Dispatch {
  const total = product(result.layout.shape);
  const chunks = parts?.chunks ?? 0;
  // Few numbers of many parts are worth a workgroup each.
  const shared = chunks >= INVOCATIONS && total < 8192;
  const groups = shared ? total : Math.ceil(total / INVOCATIONS);
  return {
    key: `${parts ? `fold${shared ? ' shared' : ''}` : 'zeros'} ${operandClass(result)}`,
    emit: () => emitFold(result, parts?.tensor ?? null, shared, machine),
    groups,
    numbers: { groups, total, chunks },
  };
}

function emitFold(result: Operand, parts: string | null, shared: boolean, machine: Machine) {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  leave(shader);
  const at = shared ? 'group' : code.let('at', `group * ${INVOCATIONS} + lid`);
  const total = shader.number('total');
  const team: Team = shared ? { size: INVOCATIONS, lane: 'lid' } : { size: 1, lane: '0' };
  const write = (): void => {
    const sum = parts
      ? fold(shader, code, team, 'sum', shader.number('chunks'), (part) => ({
          value: `${shader.binding(parts, 'read', 'f32')}[${part} * ${total} + ${at}]`,
          at: '0',
        })).value
      : '0.0';
    const put = (): void =>
      store(shader, code, result.tensor, result.dtype, elementAt(shader, result, at), sum);
    if (shared) code.if('lid == 0', put);
    else put();
  };
  if (shared) write();
  else code.if(`${at} < ${total}`, write);
  return shader.finish(INVOCATIONS);
}
