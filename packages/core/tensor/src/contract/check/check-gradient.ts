// What a call of an attention's gradient must bring, and what its formulas may read.

import { type Expr, scalar } from '@heed/expr';
import { BackendError } from '../../errors.ts';
import { type DType, workingDType } from '../dtype.ts';
import {
  type AttendGradientProgram,
  type AttendInput,
  axisNames,
  lengthNames,
  type Partials,
} from '../program.ts';
import { attendSignature } from './check-attend.ts';
import { expectAll, type Names, places, type Signature, uniformTypes } from './signature.ts';

/** @throws BackendError for a program that contradicts itself. */
export function gradientSignature(program: AttendGradientProgram, backend: string): Signature {
  refuseContradictions(program, backend);
  const { of, wrt, upstream } = program;
  const solved = of.normalizer.level.by !== 'none';
  const weights = upstream.weights ? of.keep.weights : false;
  // What the attention gave is given again, and its weights only as their gradient.
  const forward = attendSignature({ ...of, keep: { level: solved, weights } });
  const level = workingDType(of.dtype);
  const inputs: Record<string, DType> = {
    ...forward.inputs,
    context: of.dtype,
    ...(solved ? { level } : {}),
    ...(upstream.context ? { grad$context: of.dtype } : {}),
    ...(upstream.weights ? { grad$weights: of.dtype } : {}),
    ...(upstream.level ? { grad$level: level } : {}),
  };
  return {
    inputs,
    outputs: Object.fromEntries(wrt.map((name) => [name, (of.inputs[name] as AttendInput).dtype])),
    uniforms: of.uniforms,
    ...(forward.sizes ? { sizes: forward.sizes } : {}),
    formulas: [...forward.formulas, ...formulasOf(program)],
    shapes: (shapeOf, sizes) => {
      const wrong = forward.shapes((name) => shapeOf(name === 'weights' ? 'grad$weights' : name), sizes);
      const results = wrt.find((name) => String(shapeOf(name, 'output')) !== String(shapeOf(name)));
      if (results)
        return `the gradient of "${results}" of the shape of "${results}", [${shapeOf(results).join(', ')}]`;
      return (
        wrong ??
        expectAll(shapeOf, {
          ...(upstream.context ? { grad$context: shapeOf('context') } : {}),
          ...(upstream.level ? { grad$level: shapeOf('level') } : {}),
        })
      );
    },
  };
}

function refuseContradictions(
  { of, wrt, upstream, partials, weightByLevel }: AttendGradientProgram,
  backend: string,
): void {
  const refuse = (expected: string, got: string): never => {
    throw new BackendError(`${backend}: attend-gradient: expected ${expected}, got ${got}.`);
  };
  if (upstream.weights && !of.keep.weights)
    refuse('weights that were kept where their gradient comes', 'none');
  if (upstream.level && !of.keep.level) refuse('levels that were kept where their gradient comes', 'none');
  const { by } = of.normalizer.level;
  if ((by === 'root' || by === 'log-sum-exp') && !weightByLevel)
    refuse(`how the weight changes with a level by ${by}`, 'nothing');
  for (const name of wrt) {
    const input = of.inputs[name];
    if (!input) refuse(`"${name}" among the inputs`, Object.keys(of.inputs).join(', '));
    else if (input.type.element !== 'float' || input.dtype === 'int8')
      refuse(`"${name}" to hold floats`, input.dtype);
    else if (!partials[name] && name !== of.value) refuse(`partials of "${name}"`, 'none');
    else if (partials[name]?.sink && input.along.includes('key'))
      refuse('a sink that reads nothing along keys', `"${name}"`);
  }
}

/** The slopes of the weight, and the partials of each input. */
function formulasOf({
  of,
  wrt,
  partials,
  weightByScore,
  weightByLevel,
}: AttendGradientProgram): Signature['formulas'] {
  const { inputs, uniforms, normalizer } = of;
  const { by } = normalizer.level;
  const along = (key: boolean): Names[] => [
    Object.fromEntries(
      Object.entries(inputs).flatMap(([name, input]) =>
        key || !input.along.includes('key') ? [[name, input.type]] : [],
      ),
    ),
    uniformTypes(uniforms),
    places(...Object.values(lengthNames)),
    places(...axisNames.filter((axis) => key || axis !== 'key')),
  ];
  const shared = normalizer.sink !== null && (by === 'root' || by === 'log-sum-exp');
  const weight = [...along(!shared), { score: scalar }, ...(by === 'none' ? [] : [{ level: scalar }])];
  const known: { readonly [S in keyof Partials]: Names[] } = {
    score: along(true),
    reweight: along(true),
    weight,
    sink: along(false),
  };
  const slopes = Object.entries({ weightByScore, weightByLevel }).flatMap(([what, root]) =>
    root ? [{ what, root: root as Expr, names: weight, gives: scalar }] : [],
  );
  const changes = wrt.flatMap((name) =>
    (Object.keys(known) as (keyof Partials)[]).flatMap((stage) => {
      const root = partials[name]?.[stage];
      const gives = (inputs[name] as AttendInput).type;
      return root ? [{ what: `${stage} by "${name}"`, root, names: known[stage], gives }] : [];
    }),
  );
  return [...slopes, ...changes];
}
