// Inputs side by side in one memory, where a shader would bind more of them than the device allows.

import { dtypes } from '@heed/tensor';
import type { Machine } from '../machine.ts';
import type { Dispatch, Shader } from '../plan.ts';
import { ShaderWriter } from '../shader.ts';
import { load } from '../storage.ts';
import { product } from '../walk.ts';
import { elementAt, type Operand, operandClass } from './operand.ts';
import { leave } from './prefill.ts';

const MEMORY = 'packed';
const TENSOR = `scratch:${MEMORY}`;
const INVOCATIONS = 64;

/** The tensors that a shader binds: inputs by name, and how many besides. Names of other things are passed over. */
export interface Bindings {
  readonly reads: ReadonlySet<string>;
  readonly others: number;
}

export interface Packing {
  /** The operands as they are read now, by name. */
  readonly operands: Readonly<Record<string, Operand>>;
  /** What copies them, before anything else runs. */
  readonly dispatches: readonly Dispatch[];
  readonly scratch: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

/** Elements that differ in where they lie: what is repeated is copied once. */
const countOf = ({ layout: { shape, strides } }: Operand): number =>
  shape.includes(0) ? 0 : product(shape.filter((_, axis) => strides[axis] !== 0));

/** Row-major strides over what is copied. */
function stridesOf({ layout: { shape, strides } }: Operand): number[] {
  const dense: number[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const repeated = strides[axis] === 0;
    dense.unshift(repeated ? 0 : step);
    if (!repeated) step *= shape[axis] as number;
  }
  return dense;
}

/**
 * Packs the smallest operands until each shader binds at most as many tensors as the machine allows. Everything that
 * is read can be packed, so that only what is bound besides could ever be too much.
 */
export function pack(
  operands: Readonly<Record<string, Operand>>,
  shaders: readonly Bindings[],
  machine: Machine,
): Packing {
  const chosen = new Set<string>();
  const bound = ({ reads, others }: Bindings): number => {
    const tensors = [...reads].flatMap((name) =>
      chosen.has(name) ? [TENSOR] : Object.hasOwn(operands, name) ? [operands[name]?.tensor] : [],
    );
    return new Set(tensors).size + others;
  };
  for (const { name } of Object.values(operands).sort((a, b) => countOf(a) - countOf(b))) {
    const crowded = shaders.filter((one) => bound(one) > machine.storageBuffers);
    if (crowded.length === 0) break;
    if (crowded.some(({ reads }) => reads.has(name))) chosen.add(name);
  }
  if (chosen.size === 0) return { operands, dispatches: [], scratch: {}, notes: [] };
  let words = 0;
  const dispatches: Dispatch[] = [];
  const moved = [...chosen].map((name): [string, Operand] => {
    const operand = operands[name] as Operand;
    const layout = { ...operand.layout, strides: stridesOf(operand), offset: words };
    dispatches.push(...copy(operand, words, machine));
    words += countOf(operand);
    return [name, { ...operand, tensor: TENSOR, computed: true, packed: true, fours: false, layout }];
  });
  return {
    operands: { ...operands, ...Object.fromEntries(moved) },
    dispatches,
    scratch: { [MEMORY]: Math.max(1, words) * 4 },
    notes: [
      `${[...chosen].join(', ')}: copied side by side, for a shader binds ${machine.storageBuffers} buffers`,
    ],
  };
}

/** Copies an operand, of any strides and dtype, to words from `to` on. */
function copy(operand: Operand, to: number, machine: Machine): Dispatch[] {
  const total = countOf(operand);
  const groups = Math.ceil(total / INVOCATIONS);
  if (total === 0) return [];
  return [
    {
      key: `pack ${operandClass({ ...operand, fours: false })}`,
      emit: () => emitCopy(operand, machine),
      groups,
      numbers: { groups, total, to },
    },
  ];
}

function emitCopy(operand: Operand, machine: Machine): Shader {
  const shader = new ShaderWriter(machine);
  const { code } = shader;
  const { tensor, dtype } = operand;
  leave(shader);
  const at = code.let('at', `group * ${INVOCATIONS} + lid`);
  code.if(`${at} < ${shader.number('total')}`, () => {
    const from = code.let('from', elementAt(shader, operand, at));
    const value = load(shader, tensor, dtype, from);
    const word = dtypes[dtype].element === 'bool' ? `select(0u, 1u, ${value})` : `bitcast<u32>(${value})`;
    code.set(`${shader.binding(TENSOR, 'write', 'u32')}[${shader.number('to')} + ${at}]`, word);
  });
  return shader.finish(INVOCATIONS);
}
