// Which keys each mask gives to each query.

import {
  createHeed,
  type DefaultCatalog,
  type Heed,
  masks,
  type Tensor,
} from '../../packages/heed/src/index.ts';
import { grid, titled } from './draw/arrange.ts';
import { matrix } from './draw/matrix.ts';
import { type Drawing, figure } from './draw/svg.ts';

type Mask = ReturnType<typeof masks.causal>;

interface Panel {
  readonly mask: Mask;
  /** What is given with the call. */
  readonly inputs?: (heed: Heed<DefaultCatalog>) => Readonly<Record<string, Tensor>>;
  /** In place of the mask's own label. */
  readonly label?: string;
}

const LENGTH = 12;
const places = Array.from({ length: LENGTH }, (_, at) => at);
const int32 = { dtype: 'int32' } as const;

const { allOf, anyOf, except, causal, window } = masks;

/** By name; those of masks made of masks have names of their own. */
export const maskPanels: Readonly<Record<string, Panel>> = {
  full: { mask: masks.full() },
  causal: { mask: causal() },
  window: { mask: window({ left: 3, right: 1 }) },
  prefix: {
    mask: masks.prefix(),
    label: 'prefix, prefixLengths: [4]',
    inputs: ({ tensor }) => ({ prefixLengths: tensor([4], int32) }),
  },
  dilated: { mask: masks.dilated({ stride: 3 }) },
  strided: { mask: masks.strided({ stride: 4 }) },
  'fixed-sparse': { mask: masks.fixedSparse({ stride: 4, summary: 1 }) },
  'block-local': { mask: masks.blockLocal({ block: 3, neighbours: 1 }) },
  'random-blocks': { mask: masks.randomBlocks({ block: 2, draws: 2 }) },
  'global-prefix': { mask: masks.globalPrefix({ positions: 2 }) },
  'global-window': { mask: masks.globalWindow({ window: 1, global: [5] }) },
  local: {
    mask: masks.local({ window: 2 }),
    label: 'local(window: 2), centers given',
    inputs: ({ tensor }) => ({ centers: tensor(places.map((at) => 11 - at * 0.9)) }),
  },
  neighborhood: { mask: masks.neighborhood({ height: 3, width: 4, size: 3 }) },
  padding: {
    mask: masks.padding(),
    label: 'padding, lengths: [8]',
    inputs: ({ tensor }) => ({ lengths: tensor([8], int32) }),
  },
  'query-padding': {
    mask: masks.queryPadding(),
    label: 'query-padding, queryLengths: [8]',
    inputs: ({ tensor }) => ({ queryLengths: tensor([8], int32) }),
  },
  document: {
    mask: masks.document(),
    label: 'document, 3 packed sequences',
    inputs: ({ tensor }) => {
      const documents = tensor([places.map((at) => (at < 5 ? 0 : at < 8 ? 1 : 2))], int32);
      return { queryDocuments: documents, keyDocuments: documents };
    },
  },
  allowed: {
    mask: masks.allowed(),
    label: 'allowed, a boolean tensor',
    inputs: ({ tensor }) => ({
      allowed: tensor(places.map((i) => places.map((j) => (i * 7 + j * 5) % 11 < 4))),
    }),
  },
  'bias-allows': {
    mask: masks.biasAllows(),
    label: 'bias-allows, -infinity beyond 5 keys',
    inputs: ({ tensor }) => ({
      bias: tensor(places.map((i) => places.map((j) => (Math.abs(i - j) > 5 ? -Infinity : 0)))),
    }),
  },
  allOf: { mask: allOf(causal(), masks.dilated({ stride: 2 })), label: 'allOf(causal, dilated(stride: 2))' },
  anyOf: {
    mask: anyOf(
      masks.randomBlocks({ block: 2, draws: 1 }),
      window({ left: 1, right: 1 }),
      masks.globalPrefix({ positions: 1 }),
    ),
    label: 'anyOf(...): BigBird',
  },
  except: { mask: except(window({ left: 2, right: 2 })), label: 'except(window(left: 2, right: 2))' },
};

/** The figure: a row of cells for each query, a column for each key, blue where the key takes part. */
export async function masksFigure(): Promise<string> {
  await using heed = await createHeed({ backend: 'reference' });
  const rows = heed.tensor(places.map(() => [1]));
  const panels = await Promise.all(
    Object.values(maskPanels).map(
      async ({ mask, label = mask.label, inputs = () => ({}) }): Promise<Drawing> => {
        const attend = heed.attention({ score: 'dot', mask });
        const { weights } = attend(rows, rows, rows, { inputs: inputs(heed), weights: true });
        const taken = ((await weights.toNested()) as number[][]).map((row) =>
          row.map((one) => Number(one > 0)),
        );
        return titled(matrix(taken, { cell: 12 }), label);
      },
    ),
  );
  return figure(
    grid(panels, { columns: 4 }),
    'Masks of @heed/masks: for each of 12 queries, from the top, the keys, from the left, that it may attend to.',
  );
}
