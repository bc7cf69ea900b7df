// The spec: what was asked for, every part a value. It knows no shapes and no backend.

import {
  and,
  type Bool,
  bool,
  type Expr,
  mul,
  type Scalar,
  type Sizes,
  scalar,
  substitute,
  type Type,
  trace,
} from '@heed/expr';
import { DTypeError, type NormalizerForm, ValueError } from '@heed/tensor';
import { mapValues } from './define/declare.ts';
import { renameDims, renameType } from './dims.ts';
import { dropout } from './dropout.ts';
import { merge } from './merge.ts';
import type {
  Lengths,
  Mask,
  Modifier,
  Normalizer,
  Parameter,
  Part,
  Reweight,
  Score,
  SideInput,
  Uniform,
  Widths,
} from './part.ts';

/** The parts of an attention. All but the score and the normalizer may be left out. */
export interface AttentionOptions {
  readonly score: Score;
  readonly normalizer: Normalizer;
  /** A mask, or several that must all allow a pair. Without one every key takes part. */
  readonly mask?: Mask | readonly Mask[];
  /** Applied to the score in this order, before the mask. */
  readonly modifiers?: readonly Modifier[];
  /** Factors for the weights after normalising. */
  readonly reweight?: readonly Reweight[];
  /** The probability with which a weight is dropped while training. A call must then say `train`. */
  readonly dropout?: number;
}

/** Everything a call must know, merged from the parts. */
export interface Spec {
  readonly parts: readonly Part[];
  readonly widths: Widths;
  readonly score: Expr<Scalar>;
  readonly mask: Expr<Bool>;
  readonly normalizer: NormalizerForm;
  readonly reweight: Expr<Scalar>;
  readonly sizes: Sizes;
  readonly params: Readonly<Record<string, Parameter>>;
  readonly inputs: Readonly<Record<string, SideInput>>;
  readonly uniforms: Readonly<Record<string, Uniform>>;
  readonly refuse: (lengths: Lengths, sizes: Sizes) => string | null;
}

/** Reads the parts together. @throws NameError where two parts use one name for different things. */
export function compose(options: AttentionOptions, training: boolean): Spec {
  const { score, normalizer } = options;
  const modifiers = options.modifiers ?? [];
  const masks =
    options.mask === undefined
      ? []
      : Array.isArray(options.mask)
        ? (options.mask as readonly Mask[])
        : [options.mask as Mask];
  const rate = options.dropout ?? 0;
  if (!(rate >= 0 && rate < 1)) {
    throw new ValueError(`attention: dropout is a probability of at least 0 and below 1, got ${rate}.`);
  }
  const reweights = [
    ...(options.reweight ?? []),
    ...(training && rate > 0 ? [dropout({ dropoutRate: rate })] : []),
  ];
  expectKind('score', 'score', [score]);
  expectKind('normalizer', 'normalizer', [normalizer]);
  expectKind('modifiers', 'modifier', modifiers);
  expectKind('mask', 'mask', masks);
  expectKind('reweight', 'reweight', reweights);
  const shared = score.widths === 'shared';
  const factors = shared ? reweights.map(ofSharedWidth) : reweights;
  const changes = shared ? modifiers.map(ofSharedWidth) : modifiers;
  const parts: readonly Part[] = [score, ...changes, ...masks, normalizer, ...factors];
  return {
    parts,
    widths: score.widths,
    score: changes.reduce((before, { body }) => substitute(body, { score: before }), score.body),
    mask:
      masks.length === 0
        ? trace('mask', bool, () => true)
        : masks.map(({ body }) => body).reduce((a, b) => and(a, b)),
    normalizer: normalizer.form,
    reweight: factors.reduce(
      (product, { body }) => mul(product, body),
      trace('reweight', scalar, () => 1),
    ),
    ...merge('attention', parts),
    refuse: (lengths, sizes) => {
      for (const part of parts) {
        const complaint = part.refuse(lengths, sizes);
        if (complaint !== null) return `${part.kind} ${part.label}: ${complaint}`;
      }
      return null;
    },
  };
}

/** A part written for `queryFeature` beside a score whose rows share `feature`. */
function ofSharedWidth<P extends Modifier | Reweight>(part: P): P {
  const names = { queryFeature: 'feature' };
  const retype = <V extends { readonly type: Type }>(declared: V): V => ({
    ...declared,
    type: renameType(declared.type, names),
  });
  return {
    ...part,
    body: renameDims(part.body, names),
    params: mapValues(part.params, retype),
    inputs: mapValues(part.inputs, retype),
  };
}

function expectKind(where: string, kind: Part['kind'], parts: readonly Part[]): void {
  for (const part of parts) {
    const got = part as Part | undefined | null | string | { kind?: string; partName?: string };
    if (typeof got === 'object' && got !== null && 'label' in got && got.kind === kind) continue;
    if (typeof got === 'function') {
      throw new DTypeError(
        `attention: ${where} expects a ${kind}, got a function. A factory makes the ${kind} when it is called: ${where}: name({ ...options }).`,
      );
    }
    if (typeof got === 'string') {
      throw new DTypeError(
        `attention: ${where} expects a ${kind} as a value, got the name '${got}'. Names are looked up by a registry ` +
          '(createHeed, @heed/registry); here, import the part and call it.',
      );
    }
    throw new DTypeError(
      `attention: ${where} expects a ${kind}, got ${got && typeof got === 'object' && 'kind' in got ? `a ${got.kind}` : String(got)}.`,
    );
  }
}
