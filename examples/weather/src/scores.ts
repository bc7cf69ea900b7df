// Scores: those that need no training, by name, and what the one bandwidth of this example means to each of them.

/** Of a circle that is a year around, in days. */
export const YEAR_RADIUS = 365.25 / (2 * Math.PI);

export interface ScoreKind {
  readonly label: string;
  /** As a visitor would type it. */
  readonly formula: string;
  readonly about: string;
  /** The uniforms of the score and its modifiers, for a bandwidth in days. */
  readonly uniforms: (bandwidth: number) => Readonly<Record<string, number>>;
  readonly modifiers: readonly 'temperature'[];
}

export const scoreKinds = {
  gaussian: {
    label: 'gaussian',
    formula: '-dot(q - k, q - k) / (2 * bandwidth^2)',
    about: 'The squared distance. With softmax this is the kernel regression of Nadaraya and Watson, 1964.',
    uniforms: (bandwidth) => ({ bandwidth }),
    modifiers: [],
  },
  laplace: {
    label: 'laplace',
    formula: '-sum(abs(q - k)) / bandwidth',
    about: 'The distance along the axes: a sharp peak and long tails.',
    uniforms: (bandwidth) => ({ bandwidth }),
    modifiers: [],
  },
  cosine: {
    label: 'cosine',
    formula: '(58 / bandwidth)^2 * dot(q / norm(q), k / norm(k))',
    about:
      'The angle alone. On the circle of the year it is all there is to know; in a row of one number, nothing is.',
    uniforms: (bandwidth) => ({ beta: (YEAR_RADIUS / bandwidth) ** 2 }),
    modifiers: [],
  },
  dot: {
    label: 'dot',
    formula: 'dot(q, k) / bandwidth^2',
    about: 'As gaussian when all rows have one length, as on the circle. Otherwise long rows win.',
    uniforms: (bandwidth) => ({ temperature: bandwidth ** 2 }),
    modifiers: ['temperature'],
  },
  'scaled-dot': {
    label: 'scaled-dot',
    formula: "dot(q, k) / sqrt(size('feature')) / bandwidth^2",
    about: 'The score of Transformers: as dot, and a little wider.',
    uniforms: (bandwidth) => ({ temperature: bandwidth ** 2 }),
    modifiers: ['temperature'],
  },
} as const satisfies Record<string, ScoreKind>;

/** A name that heed knows, or a formula of one's own. */
export type ScoreName = keyof typeof scoreKinds | 'typed';
