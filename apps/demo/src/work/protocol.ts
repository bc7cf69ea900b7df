// What the page and its worker say to each other.

import type { Fit, HeldError, Series, Settings } from 'weather';

export interface Question {
  readonly settings: Settings;
}

/** An error on the held-back steps, under the name of what made it. */
export interface NamedError extends HeldError {
  readonly label: string;
}

export interface Answer {
  readonly kind: 'answer';
  readonly settings: Settings;
  readonly series: Series;
  readonly fit: Fit;
  readonly error: HeldError;
  readonly baselines: readonly NamedError[];
  /** The sections of heed's own account of the call. */
  readonly plan: readonly { readonly title: string; readonly text: string }[];
  /** The backend that ran it. */
  readonly backend: string;
  /** Kernels compiled for this answer, and since the page was opened. */
  readonly compiled: number;
  readonly kernels: number;
  readonly milliseconds: number;
}

/** The settings cannot be computed: a formula that does not parse, a part that refuses. Said in words. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly settings: Settings;
  /** `HeedError.code`, or `INTERNAL` for what should never happen. */
  readonly code: string;
  readonly message: string;
}

/** The errors of one bandwidth, °C. */
export interface SweepPoint {
  readonly bandwidth: number;
  /** On the held-back steps. */
  readonly held: number;
  /** On the observed steps, each predicted without its own block. */
  readonly crossValidated: number;
}

/** The same settings at every bandwidth: computed in the background, a point at a time. */
export interface Sweep {
  readonly kind: 'sweep';
  readonly settings: Settings;
  readonly points: readonly SweepPoint[];
}

export type Reply = Answer | Refusal | Sweep;
