// What decoders look at while they learn to translate one sentence.

import { createHeed, type Device, layers, ops, scores, type Tensor } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { type Drawing, figure } from './draw/svg.ts';
import { learn, sentence, type Values } from './learn.ts';

const WIDTH = 6;

/** A decoder of either kind over a memory: context and weights of all steps at once. */
type Decoder = (
  states: Tensor,
  memory: Tensor,
  call: { readonly weights: true },
) => { readonly context: Tensor; readonly weights: Tensor };

const random = (device: Device, seed: number): Tensor =>
  ops.normal(device, [1, sentence.from.length, WIDTH], { seed, dtype: 'float64' });

/**
 * The weights while decoder states and layer learn to find, for each word, the one that it comes from.
 *
 * @param make the layer with these parameters, or fresh ones.
 */
async function alignments(
  device: Device,
  make: (given: { seed: number; parameters?: Values }) => Decoder & { readonly parameters: Values },
  after: readonly number[],
): Promise<readonly number[][][]> {
  const memory = random(device, 1);
  const origins = ops.tensor(device, [...sentence.origins], { dtype: 'int32' });
  const wanted = ops.take(memory, origins, { axis: 1 });
  const run = ({ states, ...parameters }: Values) =>
    make({ seed: 3, parameters })(states as Tensor, memory, { weights: true });
  const start = { ...make({ seed: 3 }).parameters, states: random(device, 2) };
  const found = await learn(
    device,
    start,
    (values) => ops.mean(ops.square(ops.sub(run(values).context, wanted))),
    { after },
  );
  return Promise.all(
    found.map(async (values) => (await run(values).weights.squeeze(0).toNested()) as number[][]),
  );
}

const words = { rows: sentence.to, columns: sentence.from, most: 1 } as const;

/** The figure of @heed/additive. */
export async function additiveFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const steps = [0, 40, 80, 160];
  const found = await alignments(
    heed.device,
    (given) =>
      layers.additiveAttention(heed.device, {
        ...{ queryWidth: WIDTH, memoryWidth: WIDTH, hidden: 8, start: 'glorot', dtype: 'float64' },
        ...given,
      }),
    steps,
  );
  const panels = found.map((weights, i) =>
    titled(
      matrix(weights, { ...words, cell: 34 }),
      steps[i] === 0 ? 'as it starts' : `after ${steps[i]} steps`,
    ),
  );
  return figure(
    grid(panels, { columns: 2 }),
    'What additiveAttention looks at, in columns, for each word of a translation, in rows, while it learns it: the two words that ' +
      'change places cross.',
  );
}

/** The figure of @heed/multiplicative. */
export async function multiplicativeFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const shared = {
    queryWidth: WIDTH,
    memoryWidth: WIDTH,
    attentional: false,
    dtype: 'float64',
  } as const;
  const kinds = {
    dot: { project: false },
    general: {},
    concat: { project: false, score: scores.concat({ hidden: 8 }) },
  } as const;
  const panels: Drawing[] = [];
  for (const [name, options] of Object.entries(kinds)) {
    const [weights] = await alignments(
      heed.device,
      (given) => layers.multiplicativeAttention(heed.device, { ...shared, ...options, ...given }),
      [60],
    );
    panels.push(titled(matrix(weights as number[][], { rows: sentence.to, most: 1, cell: 22 }), name));
  }
  return figure(
    grid(panels, { columns: 3 }),
    'Luong\'s three scores after 60 steps of learning to translate "she reads the old blue book at home": for each word of the ' +
      'translation, in rows, the words that multiplicativeAttention looks at, in columns.',
  );
}
