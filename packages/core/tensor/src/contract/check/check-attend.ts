// What a call of an attention must bring, and what its formulas may read.

import { bool, type Expr, scalar, sizeOf, type Type } from '@heed/expr';
import { workingDType } from '../dtype.ts';
import { type AttendInput, type AttendProgram, type Axis, axisNames, lengthNames } from '../program.ts';
import { expectAll, type Names, places, type Signature, storedAs, uniformTypes } from './signature.ts';

const lengths = Object.values(lengthNames);

/** @throws Error for a dim without a size. */
export function attendSignature(program: AttendProgram): Signature {
  const { inputs, keep, dtype, normalizer } = program;
  const dims = (type: Type): number[] => type.dims.map((dim) => sizeOf(dim, program.sizes) ?? -1);
  const by = typeof keep.weights === 'object' ? keep.weights.pool : 1;
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.dtype])),
    outputs: {
      context: dtype,
      ...(keep.level ? { level: workingDType(dtype) } : {}),
      ...(keep.weights ? { weights: dtype } : {}),
    },
    uniforms: program.uniforms,
    sizes: lengths,
    formulas: formulasOf(program),
    shapes: (of, sizes) => {
      const along = (axes: readonly Axis[]): number[] =>
        axes.map((axis) => sizes[lengthNames[axis]] as number);
      const rows = along(['batch', 'head', 'query']);
      const expected: Record<string, readonly number[]> = {};
      for (const [name, { type, along: axes }] of Object.entries(inputs)) {
        const lookups = of(name).slice(axes.length, axes.length + type.lookups);
        expected[name] = [...along(axes), ...lookups, ...dims(type)];
      }
      expected.context = [...rows, ...dims((inputs[program.value] as AttendInput).type)];
      if (keep.level && normalizer.level.by !== 'none') expected.level = rows;
      if (keep.weights) {
        const pooled = along(['query', 'key']).map((length) => Math.ceil(length / by));
        expected.weights = [...rows.slice(0, 2), ...pooled];
      }
      return expectAll(of, expected);
    },
  };
}

function formulasOf(program: AttendProgram): Signature['formulas'] {
  const { inputs, uniforms, normalizer } = program;
  const { level, sink } = normalizer;
  const typesWhere = (keep: (along: readonly string[]) => boolean): Names =>
    Object.fromEntries(
      Object.entries(inputs).flatMap(([name, { type, along }]) => (keep(along) ? [[name, type]] : [])),
    );
  const common = [uniformTypes(uniforms), places(...lengths)];
  const pair: Names[] = [typesWhere(() => true), ...common, places(...axisNames)];
  const row: Names[] = [
    typesWhere((along) => !along.includes('key')),
    ...common,
    places(...axisNames.filter((axis) => axis !== 'key')),
  ];
  // One level is solved for the weights of the sink and the keys alike, so all are one formula of the row.
  const shared = sink !== null && (level.by === 'root' || level.by === 'log-sum-exp');
  const weight: Names[] = [
    ...(shared ? row : pair),
    { score: scalar },
    ...(level.by === 'none' ? [] : [{ level: scalar }]),
  ];
  const bounds: Names[] = [...row, { maximum: scalar, count: scalar }];
  const formula = (what: string, root: Expr, names: readonly Names[], gives: Type = scalar) => ({
    what,
    root,
    names,
    gives,
  });
  return [
    formula('mask', program.mask, pair, bool),
    formula('score', program.score, pair, storedAs(program.dtype)),
    formula('reweight', program.reweight, pair),
    formula('weight', normalizer.weight, weight),
    ...(sink ? [formula('sink', sink, row)] : []),
    ...(level.by === 'root' ? [formula('low', level.low, bounds), formula('high', level.high, bounds)] : []),
  ];
}
