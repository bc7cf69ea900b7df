// Drawings as values: a size and the SVG inside it. Positions are pixels, y points down.

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

type Attributes = Readonly<Record<string, string | number>>;

/** Two decimals are finer than a pixel, and the same on every machine. */
const written = (value: string | number): string =>
  typeof value === 'string' ? escaped(value) : String(Math.round(value * 100) / 100 + 0);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${written(value)}"`);
  const open = `<${name}${given.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  /** `ink` is for what is read first, `soft` for the rest. */
  readonly tone?: 'ink' | 'soft';
}

/** A line of text whose baseline is at y. */
export const text = (
  x: number,
  y: number,
  line: string,
  { anchor, tone = 'ink' }: TextOptions = {},
): string =>
  element(
    'text',
    { class: tone, x, y, ...(anchor && anchor !== 'start' ? { 'text-anchor': anchor } : {}) },
    escaped(line),
  );

/** The height of a line of text. */
export const LINE = 16;

/** About as wide as the text is drawn: fonts differ. */
export const widthOf = (line: string): number => Math.ceil([...line].length * 6.6);

/** Of lines and of what is told apart by colour. There are as many as a reader can tell apart. */
export const hues = ['blue', 'orange', 'green', 'purple', 'pink', 'brown'] as const;
export type Hue = (typeof hues)[number];

const palettes = {
  light: {
    ...{ paper: '#ffffff', ink: '#1f2328', soft: '#59636e', rule: '#d1d9e0' },
    ...{
      blue: '#0969da',
      orange: '#bc4c00',
      green: '#1a7f37',
      purple: '#8250df',
      pink: '#bf3989',
      brown: '#9a6700',
    },
  },
  dark: {
    ...{ paper: '#0d1117', ink: '#f0f6fc', soft: '#9198a1', rule: '#3d444d' },
    ...{
      blue: '#4493f8',
      orange: '#f0883e',
      green: '#3fb950',
      purple: '#ab7df8',
      pink: '#db61a2',
      brown: '#d29922',
    },
  },
};

function rules(palette: (typeof palettes)['light']): string {
  const { paper, ink, soft, rule } = palette;
  const own = hues.map((hue) => `.${hue}{fill:${palette[hue]}}.line.${hue}{stroke:${palette[hue]}}`);
  return `.paper{fill:${paper}}.ink{fill:${ink}}.soft{fill:${soft}}.rule{stroke:${rule}}${own.join('')}`;
}

const style = [
  'text{font:12px ui-sans-serif,system-ui,sans-serif}.rule{fill:none}',
  rules(palettes.light),
  // After the hues, which fill.
  '.line{fill:none;stroke-width:2;stroke-linejoin:round}',
  `@media(prefers-color-scheme:dark){${rules(palettes.dark)}.line{fill:none}}`,
].join('');

/** Around the whole. */
const MARGIN = 16;

/**
 * A whole SVG file. It brings its own paper, so that it can be read on light and on dark pages.
 *
 * @param says what the figure shows, for those who cannot see it.
 */
export function figure({ width, height, body }: Drawing, says: string): string {
  const [w, h] = [Math.ceil(width + 2 * MARGIN), Math.ceil(height + 2 * MARGIN)];
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width: w, height: h, viewBox: `0 0 ${w} ${h}`, role: 'img' },
    `\n${element('title', {}, escaped(says))}\n`,
    `${element('style', {}, style)}\n`,
    `${element('rect', { class: 'paper', width: w, height: h, rx: 6 })}\n`,
    shifted({ width, height, body }, MARGIN, MARGIN),
    '\n',
  )}\n`;
}

/** What a drawing consists of, moved. */
export const shifted = ({ body }: Drawing, x: number, y: number): string =>
  `${element('g', { transform: `translate(${written(x)} ${written(y)})` }, body)}\n`;
