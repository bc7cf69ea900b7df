// A tensor: a strided look at device memory. Values never change; views share memory; the last one to end frees it.

import { assign } from './assign.ts';
import type { View } from './contract/backend.ts';
import type { ArrayOf, DType } from './contract/dtype.ts';
import type { Device } from './device.ts';
import { dispose } from './dispose.ts';
import { DisposedError, ShapeError } from './errors.ts';
import { endLife, type Life } from './life.ts';
import * as views from './ops/view.ts';
import { type ItemOf, type Nested, nest, readElements } from './read.ts';
import { describeShape, isContiguous, type Layout, type Shape, sizeOfShape } from './shape.ts';
import type { Storage } from './storage.ts';
import { type BackwardOptions, backward } from './tape/backward.ts';

/**
 * An n-dimensional array of `DType` on a device. Made by `tensor`, `zeros`, `uniform`, ... and by every operation; views
 * (`reshape`, `transpose`, `permute`, `slice`, `expand`, `squeeze`, `unsqueeze`) copy nothing and pass gradients through.
 */
export class Tensor<D extends DType = DType> {
  readonly device: Device;
  readonly dtype: D;
  readonly shape: Shape;
  /** How many elements further the next one along each axis lies. A stride of zero repeats. */
  readonly strides: readonly number[];
  /** Where the first element lies, in elements. */
  readonly offset: number;
  /** The part that ends, for the machinery of this package. */
  readonly life: Life;

  /** For operations: takes over one reference of `storage`. Users call `tensor(device, data)`. */
  constructor(device: Device, storage: Storage, dtype: D, { shape, strides, offset }: Layout) {
    this.device = device;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.life = { device, storage, edge: null, gradient: null, scope: null, ended: false };
    device.watch(this, this.life);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOfShape(this.shape);
  }

  get contiguous(): boolean {
    return isContiguous(this);
  }

  get disposed(): boolean {
    return this.life.ended;
  }

  /** Whether gradients flow into this tensor or through it. */
  get tracked(): boolean {
    return this.life.edge !== null;
  }

  /** What `backward` has accumulated on a leaf (see `parameter`), or null. It belongs to the leaf and ends with it. */
  get gradient(): Tensor<D> | null {
    return this.life.gradient as Tensor<D> | null;
  }

  /** Forgets the accumulated gradient. */
  clearGradient(): void {
    this.life.gradient?.dispose();
    this.life.gradient = null;
  }

  /** The same elements, row-major, under another shape; one size may be -1. Copies only where strides cannot express it. */
  reshape(shape: Shape): Tensor<D> {
    return views.reshape(this, shape);
  }

  /** Swaps two axes; the last two if left out. */
  transpose(a = -2, b = -1): Tensor<D> {
    return views.transpose(this, a, b);
  }

  /** Axis i of the result is axis `order[i]` of this tensor. */
  permute(order: readonly number[]): Tensor<D> {
    return views.permute(this, order);
  }

  /**
   * The elements `start`, `start + step`, ... below `end` along an axis. Negative positions count from the end; `end` is
   * the axis's size if left out.
   *
   * @throws ValueError where a position lies outside the axis, which NumPy would cut off in silence.
   */
  slice(axis: number, start: number, end?: number, step = 1): Tensor<D> {
    return views.slice(this, axis, start, end, step);
  }

  /** Repeats axes of size one, and adds axes in front, as NumPy broadcasts. */
  expand(shape: Shape): Tensor<D> {
    return views.expand(this, shape);
  }

  /** Without the given axes, which have size one; without all such axes if left out. */
  squeeze(axis?: number | readonly number[]): Tensor<D> {
    return views.squeeze(this, axis);
  }

  /** With an axis of size one inserted before `axis`; -1 appends one. */
  unsqueeze(axis: number): Tensor<D> {
    return views.unsqueeze(this, axis);
  }

  /** The same elements, but no gradient flows through. Shares memory. */
  detach(): Tensor<D> {
    return this.view('detach', this);
  }

  /** The elements, row-major, once the device has caught up. */
  read(): Promise<ArrayOf[D]> {
    return readElements(this);
  }

  /** The one element of a tensor of size one. @throws ShapeError for any other size. */
  async item(): Promise<ItemOf<D>> {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: expected a tensor of one element, got ${this}. Read all of them with read().`,
      );
    }
    const [only] = await this.read();
    return (this.dtype === 'bool' ? only === 1 : only) as ItemOf<D>;
  }

  /** The elements as nested arrays; a plain number or boolean for rank 0. */
  async toNested(): Promise<Nested<ItemOf<D>>> {
    const flat = Array.from(
      await this.read(),
      (one) => (this.dtype === 'bool' ? one === 1 : one) as ItemOf<D>,
    );
    return nest(flat, this.shape);
  }

  /**
   * Adds the gradient of this tensor with respect to every leaf it was made from to that leaf's `gradient`.
   *
   * @param gradient the gradient of something with respect to this tensor: 1 for a tensor of one element.
   * @throws ShapeError for a tensor of several elements and no gradient; DisposedError for a graph played before
   *   without `keep`; ExpressionError for what is not tracked, gradients of gradients among it.
   */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  backward(options: BackwardOptions): void;
  backward(first?: Tensor | BackwardOptions | null, options: BackwardOptions = {}): void {
    if (first instanceof Tensor || !first) backward(this, first ?? null, options);
    else backward(this, null, first);
  }

  /**
   * Takes over the value of another tensor of the same shape and dtype, as an optimizer does with parameters. Graphs
   * recorded before keep the old value; so do views.
   *
   * @throws ShapeError, DTypeError where it does not fit; GradientError for the result of recorded operations.
   */
  assign(value: Tensor<D>): this {
    assign(this, value);
    return this;
  }

  /** Gives the memory back, once views and graphs no longer need it. Using the tensor afterwards is an error. */
  dispose(): void {
    endLife(this.life);
  }

  [dispose](): void {
    this.dispose();
  }

  toString(): string {
    const state = this.disposed ? ', disposed' : this.tracked ? ', tracked' : '';
    return `Tensor(${this.dtype} ${describeShape(this.shape)}${state})`;
  }

  /** For operations: another look at the same memory, outside every graph. */
  view(where: string, layout: Layout): Tensor<D> {
    const { storage } = this.use(where).life;
    return new Tensor(this.device, storage.retain(), this.dtype, layout);
  }

  /** For operations: this tensor as a backend sees it. */
  viewFor(where: string, { shape, strides, offset }: Layout = this): View {
    const { allocation } = this.use(where).life.storage;
    return { allocation, dtype: this.dtype, shape, strides, offset };
  }

  /** For operations: this tensor, alive. @throws DisposedError. */
  use(where: string): this {
    this.device.checkOpen(where);
    if (!this.disposed) return this;
    throw new DisposedError(
      `${where}: got ${this}. Use a tensor before it is disposed; a scope disposes what it does not return or keep.`,
    );
  }
}
