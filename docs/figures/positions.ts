// Positions: the waves that are added, and what turning does to products.

import { createHeed, type Heed, layers, ops } from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { plot } from './draw/plot.ts';
import { figure } from './draw/svg.ts';

type Scaling = NonNullable<Parameters<typeof layers.rotary>[0]['scaling']>;

const PAIRS = 16;

/** How fast each pair of features turns: the angle that rotary gives it at position 1. */
async function rates({ device }: Pick<Heed<never>, 'device'>, scaling?: Scaling): Promise<number[]> {
  const turn = layers.rotary({ layout: 'halves', ...(scaling ? { scaling } : {}) });
  const row = Array.from({ length: 2 * PAIRS }, (_, at) => Number(at < PAIRS));
  const turned = await turn(ops.tensor(device, [row], { dtype: 'float64' }), { offset: 1 }).read();
  return row.slice(0, PAIRS).map((_, i) => Math.atan2(turned[i + PAIRS] as number, turned[i] as number));
}

/** The figure of @heed/nn. */
export async function positionsFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const { device } = heed;
  const waves = layers.sinusoidal(device, { width: 32, base: 100 });
  const table = (await waves(ops.zeros(device, [48, 32], { dtype: 'float64' })).toNested()) as number[][];
  const plain = await rates(heed);
  const part = { factor: 4, length: 1024 } as const;
  const lines: Readonly<Record<string, Scaling>> = {
    linear: { by: 'linear', factor: 4 },
    ntk: { by: 'ntk', factor: 4 },
    yarn: { by: 'yarn', ...part },
    llama3: { by: 'llama3', ...part },
  };
  const drawn = await Promise.all(
    Object.entries(lines).map(async ([label, scaling]) => ({
      label,
      points: (await rates(heed, scaling)).map((one, i) => [i, one / (plain[i] as number)] as const),
    })),
  );
  return figure(
    grid(
      [
        titled(matrix(table, { cell: 5, gap: 0 }), 'sinusoidal(width: 32, base: 100)'),
        titled(
          plot(drawn, {
            x: { from: 0, to: PAIRS - 1, ticks: [0, 5, 10, 15], label: 'pair of features' },
            y: { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1] },
            width: 260,
            height: 170,
          }),
          'rotary, stretched 4 times',
          'the share of its speed that each pair keeps',
        ),
      ],
      { columns: 2, gap: 40 },
    ),
    'Left, what sinusoidal adds to 48 positions, from the top: blue above zero, orange below. Right, how far each scaling of rotary slows ' +
      'the turns of each pair, the fastest first, for a model trained on 1024 positions.',
  );
}
