// Reductions in lanes: what is kept while numbers arrive, and how lanes become one number.

import type { Reduction } from '@heed/tensor';
import type { Lanes, Simd } from './simd.ts';
import type { Local } from './wasm/index.ts';

/** Numbers that arrive: one vector for each of the group, or one for all. */
export interface Arrival {
  readonly value: Lanes;
  /** Where they stand among all that are reduced, lane by lane; given where the fold asks for it. */
  readonly position: Lanes | null;
  /** Lanes that count; null where all do. */
  readonly mask: Lanes | null;
}

export interface Fold {
  /** Whether arrivals must say where they stand. */
  readonly positions: boolean;
  /** Begins anew. */
  clear(): void;
  /** Takes lanes in, with the arithmetic of a group that is this fold's or smaller. */
  take(s: Simd, arrival: Arrival): void;
  /** To be called at least every FLUSH arrivals: moves what has gathered to where it is safe. */
  flush(): void;
  /** The result, lane by lane: one vector for each of the group. */
  result(): Lanes;
  /** The result over all lanes of the group, in all lanes of one vector. */
  total(): Lanes;
}

/**
 * So many numbers are added plainly in each lane; their sum is then added with compensation. The error of a sum is thus
 * that of 128 plain additions, however many numbers there are.
 */
export const FLUSH = 128;

const variables = (s: Simd): Lanes => Array.from({ length: s.group }, () => s.code.local('v128'));
/** The part of a group's variables that a smaller group uses. */
const part = (all: Lanes, s: Simd): Lanes => all.slice(0, s.group);

/** Both halves of a vector combined, then both lanes of the halves: the same in all lanes. */
function across(s: Simd, of: Lanes, combine: (a: Lanes, b: Lanes) => Lanes): Lanes {
  const all = of.slice(1).reduce<Lanes>((sum, vector) => combine(sum, [vector]), [of[0] as Local<'v128'>]);
  const halves = combine(all, s.shuffle([2, 3, 0, 1], all, all));
  return combine(halves, s.shuffle([1, 0, 3, 2], halves, halves));
}

function sumFold(s: Simd): Fold {
  const [plain, sum, lost] = [variables(s), variables(s), variables(s)];
  const add = (a: Lanes, b: Lanes): Lanes => s.op('f32x4.add', a, b);
  return {
    positions: false,
    clear: () => {
      for (const all of [plain, sum, lost]) s.assign(all, s.zero());
    },
    take: (inner, { value, mask }) => {
      const counted = mask ? inner.op('v128.and', value, mask) : value;
      const some = part(plain, inner);
      inner.assign(some, inner.op('f32x4.add', some, counted));
    },
    // Kahan's summation. What is lost beside an infinity or NaN is not a number: forget it.
    flush: () => {
      const y = s.op('f32x4.sub', plain, lost);
      const next = add(sum, y);
      const left = s.op('f32x4.sub', s.op('f32x4.sub', next, sum), y);
      const finite = s.op('f32x4.lt', s.op('f32x4.abs', left), s.float(Infinity));
      s.assign(lost, s.op('v128.and', left, finite));
      s.assign(sum, next);
      s.assign(plain, s.zero());
    },
    result: () => s.op('f32x4.sub', sum, lost),
    total: () => s.op('f32x4.sub', across(s, sum, add), across(s, lost, add)),
  };
}

/** NaN wins: it is kept apart, since the fast instructions drop it. */
function extremeFold(s: Simd, empty: number, keep: 'f32x4.pmax' | 'f32x4.pmin'): Fold {
  const [best, strange] = [variables(s), variables(s)];
  const finish = (value: Lanes, nan: Lanes): Lanes => s.op('v128.or', value, nan);
  return {
    positions: false,
    clear: () => {
      s.assign(best, s.float(empty));
      s.assign(strange, s.zero());
    },
    take: (inner, { value, mask }) => {
      const counted = mask ? inner.select(mask, value, inner.float(empty)) : value;
      const [some, nan] = [part(best, inner), part(strange, inner)];
      inner.assign(some, inner.op(keep, some, counted));
      inner.assign(nan, inner.op('v128.or', nan, inner.op('f32x4.ne', counted, counted)));
    },
    flush: () => {},
    // All bits set is a NaN.
    result: () => finish(best, strange),
    total: () =>
      finish(
        across(s, best, (a, b) => s.op(keep, a, b)),
        across(s, strange, (a, b) => s.op('v128.or', a, b)),
      ),
  };
}

/** The position of the first number that no other beats; -1 where there is none. NaN beats all others. */
function positionFold(s: Simd, beats: 'f32x4.gt' | 'f32x4.lt'): Fold {
  const [best, place] = [variables(s), variables(s)];
  const strange = (inner: Simd, a: Lanes): Lanes => inner.op('f32x4.ne', a, a);
  /** Where a number is better than another, the place of the other counting for nothing. */
  const better = (inner: Simd, a: Lanes, b: Lanes): Lanes =>
    inner.op('v128.or', inner.op(beats, a, b), inner.op('v128.andnot', strange(inner, a), strange(inner, b)));
  const none = (inner: Simd, where: Lanes): Lanes => inner.op('i32x4.lt_s', where, inner.zero());
  return {
    positions: true,
    clear: () => {
      s.assign(best, s.zero());
      s.assign(place, s.int(-1));
    },
    take: (inner, { value, position, mask }) => {
      const [some, where] = [part(best, inner), part(place, inner)];
      const wins = inner.op('v128.or', better(inner, value, some), none(inner, where));
      const taken = mask ? inner.op('v128.and', wins, mask) : wins;
      inner.assign(some, inner.select(taken, value, some));
      inner.assign(where, inner.select(taken, position as Lanes, where));
    },
    flush: () => {},
    result: () => place,
    total: () => {
      const join = (
        [value, where]: readonly [Lanes, Lanes],
        [other, elsewhere]: readonly [Lanes, Lanes],
      ): readonly [Lanes, Lanes] => {
        // The other wins if it is better, or as good and earlier, or the only one.
        const worse = better(s, value, other);
        const earlier = s.op('i32x4.lt_s', elsewhere, where);
        const good = s.op('v128.or', better(s, other, value), s.op('v128.andnot', earlier, worse));
        const wins = s.op('v128.or', s.op('v128.andnot', good, none(s, elsewhere)), none(s, where));
        return [s.select(wins, other, value), s.select(wins, elsewhere, where)];
      };
      const turn = (
        lanes: readonly [number, number, number, number],
        [value, where]: readonly [Lanes, Lanes],
      ) => [s.shuffle(lanes, value, value), s.shuffle(lanes, where, where)] as const;
      let all: readonly [Lanes, Lanes] = [[best[0] as Local<'v128'>], [place[0] as Local<'v128'>]];
      for (let i = 1; i < s.group; i++)
        all = join(all, [[best[i] as Local<'v128'>], [place[i] as Local<'v128'>]]);
      const halves = join(all, turn([2, 3, 0, 1], all));
      return join(halves, turn([1, 0, 3, 2], halves))[1];
    },
  };
}

/** How each reduction is done in lanes. */
export const folds: { readonly [R in Reduction]: (s: Simd) => Fold } = {
  sum: sumFold,
  max: (s) => extremeFold(s, -Infinity, 'f32x4.pmax'),
  min: (s) => extremeFold(s, Infinity, 'f32x4.pmin'),
  argmax: (s) => positionFold(s, 'f32x4.gt'),
  argmin: (s) => positionFold(s, 'f32x4.lt'),
};
