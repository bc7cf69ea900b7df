// The colours of the heat map, as pixels. A weight is looked up by its square root, so that small ones can be seen.

import * as Plot from '@observablehq/plot';

export interface Ramp {
  /** For a style sheet, from no weight to the deepest. */
  readonly colors: readonly string[];
  /** The same as pixels, in the order of the machine's bytes. */
  readonly pixels: Uint32Array;
}

const SHADES = 256;

export function rampOf(dark: boolean): Ramp {
  const scale = Plot.scale({
    color: { type: 'linear', domain: [0, SHADES - 1], scheme: dark ? 'magma' : 'purd' },
  });
  const colors = Array.from({ length: SHADES }, (_, shade) => scale.apply(shade) as string);
  const context = contextOf(Object.assign(document.createElement('canvas'), { width: SHADES, height: 1 }));
  for (const [shade, color] of colors.entries()) {
    context.fillStyle = color;
    context.fillRect(shade, 0, 1, 1);
  }
  return { colors, pixels: new Uint32Array(context.getImageData(0, 0, SHADES, 1).data.buffer) };
}

/**
 * Paints one pixel for each pair. Keys that were held back, and what is no number, stay transparent.
 *
 * @param deepest the weight from which on all have the last colour.
 */
export function paint(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  held: readonly boolean[],
  deepest: number,
  { pixels }: Ramp,
): void {
  const count = held.length;
  Object.assign(canvas, { width: count, height: count });
  const context = contextOf(canvas);
  const image = context.createImageData(count, count);
  const out = new Uint32Array(image.data.buffer);
  for (let at = 0; at < out.length; at++) {
    const weight = weights[at]!;
    if (held[at % count] || Number.isNaN(weight)) continue;
    out[at] = pixels[Math.min(SHADES - 1, Math.floor(Math.sqrt(Math.max(0, weight) / deepest) * SHADES))]!;
  }
  context.putImageData(image, 0, 0);
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser gives no 2d canvas, and the heat map is drawn on one.');
  return context;
}
