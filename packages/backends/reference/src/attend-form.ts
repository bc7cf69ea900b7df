// What an attention may be: the names its formulas may read, and what a call must bring.

import { bool, scalar } from '@heed/expr';
import { type AttendProgram, BackendError, type DType } from '@heed/tensor';
import {
  checkFormula,
  checkStored,
  checkType,
  type Names,
  namesOf,
  places,
  uniformNames,
} from './formula.ts';
import { axes, lengths } from './scene.ts';

export interface AttendNames {
  /** What a pair knows. */
  readonly pair: Names;
  /** What a row knows: nothing that varies along keys. */
  readonly row: Names;
  /** What a weight reads. */
  readonly weight: Names;
}

/** @throws BackendError for an attention that contradicts itself. */
export function checkAttend(where: string, program: AttendProgram): AttendNames {
  const { inputs, uniforms, normalizer, keep } = program;
  const { level, sink } = normalizer;
  const refuse = (expected: string, got: string): never => {
    throw new BackendError(`reference: ${where}: expected ${expected}, got ${got}.`);
  };
  const inputsThat = (read: (along: readonly string[]) => boolean): Names =>
    Object.fromEntries(
      Object.entries(inputs).flatMap(([name, { type, along }]) => (read(along) ? [[name, type]] : [])),
    );
  const common = namesOf(where, uniformNames(uniforms), places(...Object.values(lengths)));
  const pair = namesOf(
    where,
    inputsThat(() => true),
    common,
    places(...axes),
  );
  const row = namesOf(
    where,
    inputsThat((along) => !along.includes('key')),
    common,
    places(...axes.filter((axis) => axis !== 'key')),
  );
  // One level is solved for the sink's weight and those of the keys alike, so all are one formula of the row.
  const one = sink !== null && (level.by === 'root' || level.by === 'log-sum-exp');
  const weight = namesOf(
    where,
    one ? row : pair,
    { score: scalar },
    level.by === 'none' ? {} : { level: scalar },
  );
  namesOf(where, pair, { score: scalar, level: scalar, maximum: scalar, count: scalar, context: scalar });

  const formula = (
    name: string,
    root: Parameters<typeof checkFormula>[1],
    names: Names,
    type: Names[string],
  ): void => {
    checkFormula(`${where}: ${name}`, root, names);
    checkType(`${where}: ${name}`, root, type);
  };
  formula('mask', program.mask, pair, bool);
  formula('score', program.score, pair, scalar);
  formula('reweight', program.reweight, pair, scalar);
  formula('weight', normalizer.weight, weight, scalar);
  if (sink) formula('sink', sink, row, scalar);
  if (level.by === 'root') {
    const bounds = namesOf(where, row, { maximum: scalar, count: scalar });
    formula('low', level.low, bounds, scalar);
    formula('high', level.high, bounds, scalar);
  }
  checkStored(`${where}: context`, program.score, program.dtype);

  for (const [name, { along }] of Object.entries(inputs)) {
    if (new Set(along).size < along.length) refuse(`"${name}" along different axes`, along.join(', '));
  }
  const value = inputs[program.value];
  if (!value)
    refuse(`the value "${program.value}" among the inputs`, Object.keys(inputs).join(', ') || 'none');
  if (value && (value.type.lookups > 0 || value.type.element !== 'float'))
    refuse('a value that holds floats', value.type.element);
  if (value && (value.along.includes('query') || value.along.includes('head'))) {
    refuse('a value along a subset of batch, keyHead and key', value.along.join(', '));
  }
  if (level.by === 'none' && keep.level) refuse('a level to keep', 'a normalizer that has none');
  if (level.by === 'none' && sink) refuse('no sink where no level is solved', 'one');
  const pool = poolOf(program);
  if (!Number.isInteger(pool) || pool < 1) refuse('a pool of one or more', String(pool));
  return { pair, row, weight };
}

/** Over how many queries and keys weights are taken together; 1 where they are not. */
export const poolOf = ({ keep: { weights } }: AttendProgram): number =>
  typeof weights === 'object' ? weights.pool : 1;

/** The dtypes of an attention's inputs. */
export const inputTypes = ({ inputs }: AttendProgram): Record<string, DType> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { dtype }]) => [name, dtype]));
