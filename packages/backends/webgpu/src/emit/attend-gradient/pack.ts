// Inputs side by side in one memory, where a shader would bind more of them than the device allows.

import { dtypes } from '@heed/tensor';
import { type Operand, operandClass, sumOf } from '../attend/operand.ts';
import { leave } from '../attend/prefill.ts';
import type { Machine } from '../machine.ts';
import type { Dispatch, Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';
import { product } from '../walk.ts';

export const PACKED = 'scratch:packed';
const INVOCATIONS = 64;

const countOf = ({ layout }: Operand): number => product(layout.shape);

export interface Packed {
  /** The operands as they are read now, by name. */
  readonly operands: Readonly<Record<string, Operand>>;
  /** Those that were packed, as they were given. */
  readonly packed: readonly Operand[];
  /** Numbers in all. */
  readonly count: number;
}

/**
 * Packs the smallest operands until every set of tensors that is bound together has at most `most`.
 *
 * @param sets names of the operands that a shader reads, and how many tensors it binds besides.
 */
export function pack(
  operands: Readonly<Record<string, Operand>>,
  sets: readonly { readonly reads: ReadonlySet<string>; readonly others: number }[],
  most: number,
): Packed {
  const chosen = new Set<string>();
  const bound = ({ reads, others }: (typeof sets)[number]): number => {
    const tensors = [...reads].map((name) =>
      chosen.has(name) ? PACKED : (operands[name] as Operand).tensor,
    );
    return new Set(tensors).size + others;
  };
  const bySize = Object.values(operands)
    .filter(({ dtype, computed }) => !computed && dtypes[dtype].element === 'float')
    .sort((a, b) => countOf(a) - countOf(b));
  for (const { name } of bySize) {
    const crowded = sets.filter((set) => bound(set) > most);
    if (crowded.length === 0) break;
    if (crowded.some(({ reads }) => reads.has(name))) chosen.add(name);
  }
  let count = 0;
  const packed = Object.values(operands).filter(({ name }) => chosen.has(name));
  const moved = packed.map((operand): [string, Operand] => {
    const { shape } = operand.layout;
    const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
    const offset = count;
    count += countOf(operand);
    return [
      operand.name,
      { ...operand, tensor: PACKED, dtype: 'float32', computed: true, layout: { shape, strides, offset } },
    ];
  });
  return { operands: { ...operands, ...Object.fromEntries(moved) }, packed, count };
}

/** Copies an operand, of any strides and dtype, to where it is packed. */
export function planPack(operand: Operand, to: Operand, machine: Machine): Dispatch[] {
  const total = countOf(operand);
  const groups = Math.ceil(total / INVOCATIONS);
  if (total === 0) return [];
  return [
    {
      key: `pack ${operandClass(operand)}`,
      emit: () => emitPack(operand, machine),
      groups,
      numbers: { groups, total, offset: to.layout.offset },
    },
  ];
}

function emitPack(operand: Operand, machine: Machine): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  leave(shader);
  const at = code.let('at', `group * ${INVOCATIONS} + lid`);
  code.if(`${at} < ${shader.number('total')}`, () => {
    let rest = at;
    const terms: string[] = [];
    for (let axis = operand.layout.shape.length - 1; axis >= 0; axis--) {
      const size = shader.size(operand.tensor, axis);
      terms.unshift(`(${rest} % ${size}) * ${shader.stride(operand.tensor, axis)}`);
      if (axis > 0) rest = code.let('rest', `${rest} / ${size}`);
    }
    const from = code.let('from', sumOf([shader.offset(operand.tensor), ...terms]));
    code.set(
      `${shader.binding(PACKED, 'write', 'f32')}[${shader.number('offset')} + ${at}]`,
      load(shader, operand.tensor, operand.dtype, from),
    );
  });
  return shader.finish(INVOCATIONS);
}
