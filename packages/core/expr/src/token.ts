// The words of the formula language, and errors that point at one of them.

import { ExpressionError } from './error.ts';

export interface Token {
  /** `int` is a number marked as one, `3i`; `quoted` a name in backticks, `text` the name of a dim in quotes. */
  readonly kind: 'number' | 'int' | 'name' | 'quoted' | 'text' | 'symbol' | 'end';
  /** What it says: the name without its quotes, the digits of a number, the symbol itself. */
  readonly text: string;
  /** Where it begins in the formula. */
  readonly at: number;
}

/** Longest formula that is read. */
const LONGEST = 1_000_000;

const rules: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /\s+/y],
  ['int', /\d+i(?![\w$])/y],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w$])/y],
  ['name', /[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/y],
  ['quoted', /`(?:[^`\\]|\\.)*`/y],
  ['text', /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y],
  ['symbol', /==|!=|<=|>=|[-+*/^<>=(),;]/y],
];

/** What people write in other languages, and how it is written here. */
const foreign: readonly (readonly [string, string])[] = [
  ['&', 'Write: a and b.'],
  ['|', 'Write: a or b, or abs(a).'],
  ['!', 'Write: not a.'],
  ['?', 'Write: if a then b else c.'],
  ['%', 'Write: mod(a, b).'],
  ['[', 'Write: pick(vector, index) or at(table, index).'],
  ['`', 'A name in backticks ends with a backtick.'],
  ["'", 'A text ends with the quote it began with.'],
];

/** The tokens of a formula, the last of them its end. @throws ExpressionError for a character that begins none. */
export function tokenize(formula: string): Token[] {
  if (formula.length > LONGEST) {
    throw new ExpressionError(`parse: expected at most ${LONGEST} characters, got ${formula.length}.`);
  }
  const tokens: Token[] = [];
  for (let at = 0; at < formula.length; ) {
    const found = match(formula, at);
    if (!found) {
      const digit = /\d/.test(formula[at] as string) ? 'A product is written 2 * x.' : undefined;
      const hint = digit ?? foreign.find(([mark]) => formula.startsWith(mark, at))?.[1];
      throw problem(
        formula,
        at,
        `expected a part of a formula, got "${String.fromCodePoint(formula.codePointAt(at) ?? 0)}".${hint ? ` ${hint}` : ''}`,
      );
    }
    const { kind, text } = found;
    if (kind !== 'space') tokens.push({ kind, text: textOf(formula, kind, text, at), at });
    at += text.length;
  }
  return [...tokens, { kind: 'end', text: 'the end', at: formula.length }];
}

function match(formula: string, at: number): { kind: Token['kind'] | 'space'; text: string } | undefined {
  for (const [kind, pattern] of rules) {
    pattern.lastIndex = at;
    const text = pattern.exec(formula)?.[0];
    if (text) return { kind, text };
  }
  return undefined;
}

function textOf(formula: string, kind: Token['kind'], text: string, at: number): string {
  if (kind === 'int') return text.slice(0, -1);
  if (kind !== 'quoted' && kind !== 'text') return text;
  // JSON's escapes, and those of the other two quotes.
  const inner = text
    .slice(1, -1)
    .replace(/\\([\s\S])|"/g, (all, escaped) =>
      all === '"' ? '\\"' : "'`".includes(escaped) ? escaped : all,
    );
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    throw problem(formula, at, `expected a text with the escapes of JSON, got ${text}.`);
  }
}

/** An error that says where: line and column, and the line itself with a caret below. */
export function problem(formula: string, at: number, text: string, cause?: unknown): ExpressionError {
  const before = formula.slice(0, at);
  const line = before.split('\n').length;
  const start = before.lastIndexOf('\n') + 1;
  const end = formula.indexOf('\n', at) < 0 ? formula.length : formula.indexOf('\n', at);
  // Of a long line only the neighbourhood is shown.
  const from = Math.max(start, at - 60);
  const shown = formula.slice(from, Math.min(end, at + 40)).replaceAll('\t', ' ');
  return new ExpressionError(
    `parse: line ${line}, column ${at - start + 1}: ${text}\n  ${shown}\n  ${' '.repeat(at - from)}^`,
    cause === undefined ? undefined : { cause },
  );
}
