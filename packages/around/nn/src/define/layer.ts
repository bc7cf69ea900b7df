// What a layer is: a function of tensors, with its trained tensors by name.

import type { Choice, Options } from '@heed/attention';
import type { Device, FloatDType, Tensor } from '@heed/tensor';
import type { Builder } from './define-layer.ts';

/** Tensors by path: `'query.weight'`. */
export type Parameters = Readonly<Record<string, Tensor>>;

/** What every layer knows besides what it computes. */
export interface Module {
  /** Every tensor that it computes with, those of the layers inside it included, by path: `'query.weight'`. */
  readonly parameters: Parameters;
  /** Name and options, for people to read: `linear(in: 8, out: 16)`. */
  readonly label: string;
  /** Frees the parameters that it made; those that were given to it stay. */
  dispose(): void;
}

/** A layer is called: `layer(x)`. What it takes and gives is the layer's own. */
export type Layer<F> = F & Module;

/** What every layer can be made with. */
export interface LayerOptions {
  /** What fresh parameters are drawn from: the same seed gives the same numbers. Needed unless all are given. */
  readonly seed?: number;
  /** The dtype of fresh parameters; float32 if left out. */
  readonly dtype?: FloatDType;
  /**
   * Tensors to compute with in place of fresh ones, by path: to share one between layers, or to hold one fixed (a tensor
   * that is not tracked is not trained).
   */
  readonly parameters?: Parameters;
}

/** A function that makes a layer on a device, and knows the name and the defaults it was defined with. */
export interface LayerFactory<Name extends string, O extends Options, F> {
  (device: Device, options: Flat<Choice<O>> & LayerOptions): Layer<F>;
  readonly kind: 'layer';
  readonly layerName: Name;
  /** Every option with its default (undefined where there is none). */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What it was defined by: layers inside others are built from it. */
  readonly definition: Definition;
}

/** A factory of any name and options. */
export interface AnyLayerFactory
  extends Pick<LayerFactory<string, Options, unknown>, 'kind' | 'layerName' | 'defaults' | 'definition'> {
  (device: Device, options: never): Layer<unknown>;
}

/** A definition of whatever options and calls. */
export interface Definition {
  readonly name: string;
  readonly options: Options;
  readonly make: (options: never, build: Builder) => object;
}

/** One type of an intersection's keys, so that editors show the options and not how they were computed. */
type Flat<T> = { readonly [K in keyof T]: T[K] };

/** The options of a layer, without those that every layer has. */
export type LayerChoice<Factory> = Factory extends (device: Device, options: infer Given) => unknown
  ? Omit<Given, keyof LayerOptions>
  : never;

/** A layer inside another, which frees its parameters: those of its own are named as if it stood alone. */
export type Inner<Factory> = Factory extends (device: Device, options: never) => infer Made
  ? Omit<Module, 'dispose'> & CallOf<Made>
  : never;

type CallOf<Made> = Made extends Layer<infer F> ? F : never;
