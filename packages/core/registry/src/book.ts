// The book of a registry: every part and backend with its origin. Immutable: adding makes a new one.

import { didYouMean } from '@heed/expr';
import { type BackendPlugin, DTypeError, NameError } from '@heed/tensor';
import type { Addition } from './catalog.ts';
import { packageOf } from './known.ts';
import {
  type AnyFactory,
  type AnyVariant,
  type Kind,
  kinds,
  type Plugin,
  type Slot,
  slots,
} from './plugin.ts';

interface Held {
  readonly origin: string;
}
export interface HeldPart extends Held {
  readonly factory: AnyFactory;
}
export interface HeldVariant extends Held {
  readonly factory: AnyVariant;
}
export interface HeldBackend extends Held {
  readonly backend: BackendPlugin;
}

export interface Book {
  readonly parts: Readonly<Record<Kind, ReadonlyMap<string, HeldPart>>>;
  readonly variants: ReadonlyMap<string, HeldVariant>;
  readonly backends: ReadonlyMap<string, HeldBackend>;
}

export const emptyBook: Book = Object.freeze({
  parts: {
    score: new Map(),
    modifier: new Map(),
    mask: new Map(),
    normalizer: new Map(),
    reweight: new Map(),
  },
  variants: new Map(),
  backends: new Map(),
});

/** @throws NameError for a name that is taken, naming both origins; DTypeError for what is no plugin. */
export function enter(book: Book, addition: Addition): Book {
  const plugin = asPlugin(addition);
  const added = { ...book.parts };
  for (const kind of kinds) {
    const map = new Map(added[kind]);
    for (const factory of plugin[slots[kind]] ?? []) {
      checkFactory(plugin, kind, factory);
      refuseTaken(kind, factory.partName, map.get(factory.partName), plugin);
      map.set(factory.partName, { factory, origin: plugin.name });
    }
    added[kind] = map;
  }
  const variants = new Map(book.variants);
  for (const factory of plugin.variants ?? []) {
    if (typeof factory !== 'function' || factory.kind !== 'layer') {
      throw new DTypeError(
        `plugin "${plugin.name}": variants expects factories of layers, got ${stranger(factory)}.`,
      );
    }
    refuseTaken('variant', factory.layerName, variants.get(factory.layerName), plugin);
    variants.set(factory.layerName, { factory, origin: plugin.name });
  }
  const backends = new Map(book.backends);
  for (const backend of plugin.backends ?? []) {
    if (backend?.kind !== 'backend')
      throw new DTypeError(`plugin "${plugin.name}": backends expects backends, got ${stranger(backend)}.`);
    refuseTaken('backend', backend.name, backends.get(backend.name), plugin);
    backends.set(backend.name, { backend, origin: plugin.name });
  }
  return Object.freeze({ parts: added, variants, backends });
}

/** @throws NameError that lists near names, and the package that has the name. */
export function find(book: Book, kind: Kind, name: string, path: string): AnyFactory {
  const held = book.parts[kind].get(name);
  if (held) return held.factory;
  const elsewhere = kinds.filter((other) => other !== kind && book.parts[other].has(name));
  throw new NameError(
    `${path}: there is no ${kind} "${name}" in this registry.` +
      (elsewhere.length > 0 ? ` There is a ${elsewhere.join(' and a ')} of that name.` : '') +
      advice(kind, name, book.parts[kind].keys()),
  );
}

/** @throws NameError, as `find`. */
export function findVariant(book: Book, name: string, path: string): AnyVariant {
  const held = book.variants.get(name);
  if (held) return held.factory;
  throw new NameError(
    `${path}: there is no variant "${name}" in this registry.${advice('variant', name, book.variants.keys())}`,
  );
}

/** @throws NameError, as `find`. */
export function findBackend(book: Book, name: string): BackendPlugin {
  const held = book.backends.get(name);
  if (held) return held.backend;
  throw new NameError(
    `backend: there is no backend "${name}" in this registry.${advice('backend', name, book.backends.keys())}`,
  );
}

function advice(kind: Kind | 'variant' | 'backend', name: string, names: Iterable<string>): string {
  const all = [...names].sort();
  const home = packageOf(kind, name);
  const add =
    home === undefined ? '' : ` "${name}" comes with ${home}: import it there and add it with use(...).`;
  return `${didYouMean(name, all)}${add} Registered: ${all.join(', ') || 'none'}.`;
}

function refuseTaken(kind: string, name: string, before: Held | undefined, { name: origin }: Plugin): void {
  if (!before) return;
  throw new NameError(
    before.origin === origin
      ? `the ${kind} "${name}" is in "${origin}" twice. Use each plugin once, and give each of its parts a name of its own.`
      : `the ${kind} "${name}" is in "${before.origin}" and in "${origin}". Use one of the two, or define yours under another name.`,
  );
}

const slotNames: readonly string[] = ['name', ...Object.values(slots), 'variants', 'backends'];

function asPlugin(addition: Addition): Plugin {
  if (typeof addition === 'function' && 'partName' in addition) {
    const slot: Slot = slots[addition.kind];
    return { name: `use(${addition.partName})`, [slot]: [addition] };
  }
  if (typeof addition === 'function' && 'layerName' in addition)
    return { name: `use(${addition.layerName})`, variants: [addition] };
  if (typeof addition !== 'object' || addition === null) {
    throw new DTypeError(
      `use: expected a plugin { name, scores, masks, ... }, a factory or a backend, got ${stranger(addition)}.`,
    );
  }
  if ('kind' in addition) {
    if (addition.kind === 'backend') return { name: `use(${addition.name})`, backends: [addition] };
    throw new DTypeError(
      `use: expected a factory, got ${stranger(addition)}. Registries hold factories: give it without calling it.`,
    );
  }
  for (const slot of Object.keys(addition)) {
    if (!slotNames.includes(slot)) {
      throw new NameError(
        `plugin "${addition.name}": "${slot}" is not part of a plugin.${didYouMean(slot, slotNames)} A plugin has ${slotNames.join(', ')}.`,
      );
    }
  }
  if (typeof addition.name !== 'string' || addition.name === '') {
    throw new NameError(
      'use: a plugin needs a name, by which errors call it: { name, scores, masks, ... }. Use that of its package.',
    );
  }
  return addition;
}

function checkFactory(plugin: Plugin, kind: Kind, factory: AnyFactory): void {
  if (typeof factory !== 'function' || factory.kind !== kind) {
    throw new DTypeError(
      `plugin "${plugin.name}": ${slots[kind]} expects factories of a ${kind}, got ${stranger(factory)}.`,
    );
  }
  if (Object.hasOwn(factory.defaults, 'name')) {
    throw new NameError(
      `plugin "${plugin.name}": the ${kind} "${factory.partName}" has an option "name", which names the part in { name, ...options }. Rename it.`,
    );
  }
}

function stranger(value: unknown): string {
  if (typeof value === 'function')
    return 'kind' in value
      ? `a factory of a ${value.kind}`
      : `the function ${value.name || '(unnamed)'}; define it with defineScore or one of its sisters`;
  if (typeof value === 'object' && value !== null)
    return 'kind' in value ? `a ${value.kind} that is made already` : 'an object of another form';
  return JSON.stringify(value) ?? String(value);
}
