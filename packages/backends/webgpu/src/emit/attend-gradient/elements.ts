// Gradients by their formulas, number by number: each invocation sums what its own pairs give, and in the end the
// invocations that share a row or a key, or all of them, are summed.

import { type Node, reachable } from '@heed/expr';
import { isScalar } from '../attend/formulas.ts';
import type { PairKernel } from '../attend/kernel.ts';
import { invocationsOf } from '../attend/shape.ts';
import { columnAt } from '../attend/value.ts';
import { laneOf, type Position } from '../expression.ts';
import type { Lanes } from '../lanes.ts';
import type { Changes } from './backward.ts';
import { type Part, SHAPE } from './design.ts';
import type { Frame, Summation } from './frame.ts';

const INVOCATIONS = invocationsOf(SHAPE);
/** WGSL values that an invocation may sum side by side. */
const MOST = 64;
const rows = Array.from({ length: SHAPE.group }, (_, g) => g);

/** Numbers of one place that a workgroup sums. */
export const elementsOf = ({ byQuery, byKey, width }: Frame['options']['target']): number =>
  Math.min(Math.max(1, width), byQuery && byKey ? MOST / SHAPE.group : MOST);

export function sumElements(frame: Frame): Summation {
  const { shader, options, firstElement } = frame;
  const { code } = shader;
  const { target, block, blocks } = options;
  const { byQuery, byKey, dims, width } = target;
  const both = byQuery && byKey;
  const sums = code.array('sums', 'vec4<f32>', block * (both ? SHAPE.group : 1));
  const stageCells = Math.min(640, Math.floor((options.machine.workgroupBytes - 64) / 16));

  /** Adds what the invocation's pairs give to a number: for each row lanes of keys. */
  const take = (element: string, gives: Lanes): void => {
    if (both) {
      gives.forEach((one, g) => {
        code.line(`${sums}[${element} * ${SHAPE.group} + ${g}] += ${one};`);
      });
    } else if (byQuery) {
      const own = gives.map((one) => `dot(${one}, vec4<f32>(1.0))`);
      code.line(`${sums}[${element}] += vec4<f32>(${own.join(', ')});`);
    } else code.line(`${sums}[${element}] += ${gives.join(' + ')};`);
  };

  const addParts = ({ writer }: PairKernel, changes: Changes, parts: readonly Part[]): void => {
    prepare(writer, parts);
    const each = eachOf(parts, changes, code.let.bind(code));
    eachElement(frame, writer, parts, (element, at) => take(element, each(writer, at)));
  };

  const add = (kernel: PairKernel, changes: Changes, firstKey: string | null): void => {
    const parts = firstKey === null ? target.sink : target.pair;
    if (parts.length === 0) return;
    if (firstKey === null || !target.cheaper) {
      addParts(kernel, changes, parts);
      return;
    }
    for (const { stage } of parts) changes.of(stage);
    const branch = (which: readonly Part[]) => (): void =>
      kernel.writer.scoped(() => {
        kernel.stage.use();
        addParts(kernel, changes, which);
        kernel.stage.use();
      });
    code.if(kernel.guarded(options.gradient.guards), branch(target.cheaper), branch(parts));
  };

  const finish = (): void => {
    const most = blocks === 1 ? String(block) : code.let('most', `min(${block}, ${width} - ${firstElement})`);
    const positions = (element: string): string[] =>
      columnAt(code, dims, firstElement === '0' ? element : `${firstElement} + ${element}`);
    if (both) {
      code.for('e', '0', most, (e) => {
        const at = positions(e);
        code.for('g', '0', String(SHAPE.group), (g) => {
          const query = code.let('query', `${frame.firstRow} + ${frame.down} * ${SHAPE.group} + ${g}`);
          code.for('lane', '0', '4', (lane) => {
            const key = code.let('key', `${frame.firstKey} + ${frame.across} * 4 + ${lane}`);
            code.if(`${frame.isRow(query)} && ${frame.isKey(key)}`, () =>
              frame.put({ query, key }, at, `${sums}[${e} * ${SHAPE.group} + ${g}][${lane}]`),
            );
          });
        });
      });
      return;
    }
    const { memory } = frame;
    const some = Math.min(block, Math.floor(memory.cells / INVOCATIONS));
    // Those that are summed lie `step` apart; there are `shares` sums of each number.
    const [shares, count, step] = byQuery
      ? [SHAPE.down, SHAPE.across, 1]
      : byKey
        ? [SHAPE.across, SHAPE.down, SHAPE.across]
        : [1, INVOCATIONS, 1];
    memory.use();
    code.for(
      'from',
      '0',
      most,
      (from) => {
        memory.claim(some * INVOCATIONS);
        const end = code.let('end', `min(${some}, ${most} - ${from})`);
        code.for('e', '0', end, (e) => {
          code.set(`${memory.name}[${e} * ${INVOCATIONS} + lid]`, `${sums}[${from} + ${e}]`);
        });
        memory.barrier();
        code.for(
          'item',
          'lid',
          `${end} * ${shares}`,
          (item) => {
            const e = code.let('e', `${item} / ${shares}`);
            const share = code.let('share', `${item} % ${shares}`);
            const start = byQuery ? `${share} * ${SHAPE.across}` : share;
            const sum = code.var('sum', 'vec4<f32>()', 'vec4<f32>');
            code.for('n', '0', String(count), (n) => {
              code.line(`${sum} += ${memory.name}[${e} * ${INVOCATIONS} + ${start} + ${n} * ${step}];`);
            });
            const at = positions(`${from} + ${e}`);
            if (!byQuery && !byKey) {
              frame.put({}, at, `dot(${sum}, vec4<f32>(1.0))`);
              return;
            }
            code.for('lane', '0', '4', (lane) => {
              const own = `${share} * 4 + ${lane}`;
              if (byQuery) {
                const query = code.let('query', `${frame.firstRow} + ${own}`);
                code.if(frame.isRow(query), () => frame.put({ query }, at, `${sum}[${lane}]`));
              } else {
                const key = code.let('key', `${frame.firstKey} + ${own}`);
                code.if(frame.isKey(key), () => frame.put({ key }, at, `${sum}[${lane}]`));
              }
            });
          },
          INVOCATIONS,
        );
        memory.use();
      },
      some,
    );
  };
  return { stageCells, add, finish };
}

type Writer = PairKernel['writer'];

/** Writes the scalars that parts are made of, ahead of loops over their elements. */
export function prepare(writer: Writer, parts: readonly Part[]): void {
  for (const node of reachable(parts.flatMap((part) => [part.node, ...part.indices])))
    if (isScalar(node) && node.op !== 'const' && node.op !== 'entry') writer.part(node, []);
}

/** Loops over the numbers of one place that the workgroup sums: which of them it is, and its positions within the dims. */
export function eachElement(
  { shader, options, firstElement }: Frame,
  writer: Writer,
  parts: readonly Part[],
  body: (element: string, at: readonly Position[]) => void,
): void {
  const { code } = shader;
  const { blocks, block, target } = options;
  const { dims, width } = target;
  if (width === 0) return;
  if (dims.length === 0) {
    body('0', []);
    return;
  }
  if (dims.length === 1 && blocks === 1) {
    const nodes: Node[] = parts.map(({ node }) => node);
    writer.loop(nodes, width, (at) => writer.scoped(() => body(at, [at])));
    return;
  }
  const { staging } = writer;
  writer.staging = false;
  const most = blocks === 1 ? String(block) : `min(${block}, ${width} - ${firstElement})`;
  code.for('e', '0', most, (element) =>
    writer.scoped(() => {
      const at = columnAt(code, dims, firstElement === '0' ? element : `${firstElement} + ${element}`);
      body(
        element,
        at.map((one) => code.let('at', one)),
      );
    }),
  );
  writer.staging = staging;
}

/** What counts of the sum over parts, at positions: for each row lanes of keys. */
export function eachOf(
  parts: readonly Part[],
  changes: Changes,
  name: (hint: string, value: string) => string,
): (writer: Writer, at: readonly Position[]) => Lanes {
  const factors = parts.map(({ stage }) => changes.of(stage));
  return (writer, at) => {
    const lanes = parts.map(({ node }) => writer.part(node, isScalar(node) ? [] : at));
    return rows.map((g) => {
      const sum = lanes.map((one, i) => `${laneOf(factors[i] as Lanes, g)} * ${laneOf(one, g)}`).join(' + ');
      return name('gives', `select(vec4<f32>(), ${sum}, ${changes.counted[g]})`);
    });
  };
}
