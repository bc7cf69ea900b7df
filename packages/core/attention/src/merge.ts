// Merging what parts declare.

import { describeType, type Sizes } from '@heed/expr';
import { NameError } from '@heed/tensor';
import type { Parameter, Part, SideInput, Uniform } from './part.ts';

/** What a part, or several together, declare. */
export interface Declared {
  readonly sizes: Sizes;
  readonly params: Readonly<Record<string, Parameter>>;
  readonly inputs: Readonly<Record<string, SideInput>>;
  readonly uniforms: Readonly<Record<string, Uniform>>;
}

/**
 * The declarations of parts that share one namespace, since their inputs meet in one program.
 *
 * @throws NameError where two parts use one name for different things, naming both.
 */
export function merge(where: string, parts: readonly Part[]): Declared {
  const merged = { sizes: {}, params: {}, inputs: {}, uniforms: {} } as Record<
    'sizes' | 'params' | 'inputs' | 'uniforms',
    Record<string, unknown>
  >;
  const owner = new Map<string, { part: Part; group: string; declared: string }>();
  for (const part of parts) {
    for (const group of ['sizes', 'params', 'inputs', 'uniforms'] as const) {
      for (const [name, declared] of Object.entries(part[group])) {
        const text = describe(declared);
        const before = owner.get(name);
        // Side inputs, sizes and uniforms that agree are one thing; two trained parameters never are.
        if (before && (before.group !== group || group === 'params' || before.declared !== text)) {
          throw new NameError(
            `${where}: ${before.part.kind} ${before.part.label} and ${part.kind} ${part.label} both declare "${name}" ` +
              `(${before.declared}; ${text}). Rename it in one of the definitions${group === 'params' ? '' : ', or make the declarations equal'}.`,
          );
        }
        owner.set(name, { part, group, declared: text });
        merged[group][name] = declared;
      }
    }
  }
  return merged as unknown as Declared;
}

function describe(declared: number | Parameter | SideInput | Uniform): string {
  if (typeof declared === 'number') return `a size of ${declared}`;
  if ('element' in declared) return `a uniform, ${declared.element} ${declared.value}`;
  const along = declared.along.length > 0 ? ` along ${declared.along.join(', ')}` : '';
  return `${'initial' in declared ? 'a parameter' : 'a side input'}, ${describeType(declared.type)}${along}`;
}
