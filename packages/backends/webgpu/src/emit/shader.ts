// A shader while it is being written: what it binds, the words that it is given, the functions that it needs, its statements.

import type { Machine } from './machine.ts';
import type { Bound, Shader, Slot } from './plan.ts';

/** A WGSL function that a shader holds once, if something needs it. */
export interface WgslFunction {
  readonly name: string;
  /** The whole declaration. It may call the functions that it needs. */
  readonly code: string;
  readonly needs?: readonly WgslFunction[];
}

interface Binding extends Bound {
  readonly name: string;
  readonly element: string;
}

/** Statements, one a line, with fresh names. */
export class Code {
  readonly #lines: string[] = [];
  readonly #taken: Map<string, number>;
  #depth: number;

  constructor(taken = new Map<string, number>(), depth = 1) {
    this.#taken = taken;
    this.#depth = depth;
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  line(text: string): void {
    this.#lines.push(`${'  '.repeat(this.#depth)}${text}`);
  }

  /** A name that nothing else in the shader has. */
  name(hint: string): string {
    const base = hint.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'x';
    const count = this.#taken.get(base) ?? 0;
    this.#taken.set(base, count + 1);
    return `${base}_${count}`;
  }

  /** Computes a value once; returns its name. */
  let(hint: string, value: string): string {
    const name = this.name(hint);
    this.line(`let ${name} = ${value};`);
    return name;
  }

  /** A variable of this function, with its first value. */
  var(hint: string, value: string, type?: string): string {
    const name = this.name(hint);
    this.line(`var ${name}${type ? `: ${type}` : ''} = ${value};`);
    return name;
  }

  /** A private array of this function, of zeros. */
  array(hint: string, element: string, length: number): string {
    const name = this.name(hint);
    this.line(`var ${name}: array<${element}, ${length}>;`);
    return name;
  }

  set(target: string, value: string): void {
    this.line(`${target} = ${value};`);
  }

  if(condition: string, then: () => void, otherwise?: () => void): void {
    this.#block(`if (${condition}) {`, then, otherwise ? '} else {' : '}');
    if (otherwise) this.#block(undefined, otherwise, '}');
  }

  /** For `at` (i32) from `from`, below `to`, in steps. */
  for(hint: string, from: string, to: string, body: (at: string) => void, step: string | number = 1): void {
    const at = this.name(hint);
    this.#block(`for (var ${at}: i32 = ${from}; ${at} < ${to}; ${at} += ${step}) {`, () => body(at), '}');
  }

  /** Runs the body until `break;`. */
  loop(body: () => void): void {
    this.#block('loop {', body, '}');
  }

  /** Statements elsewhere in the same shader: names stay different. */
  another(): Code {
    return new Code(this.#taken);
  }

  /** A scope of names. */
  block(body: () => void): void {
    this.#block('{', body, '}');
  }

  barrier(): void {
    this.line('workgroupBarrier();');
  }

  #block(open: string | undefined, body: () => void, close: string): void {
    if (open !== undefined) this.line(open);
    this.#depth++;
    body();
    this.#depth--;
    this.line(close);
  }
}

export class ShaderWriter {
  readonly machine: Machine;
  readonly code = new Code();
  readonly #bindings: Binding[] = [];
  readonly #slots = new Map<string, { readonly at: number; readonly slot: Slot }>();
  readonly #functions = new Map<string, WgslFunction>();
  readonly #declared: string[] = [];
  readonly #shared: {
    readonly name: string;
    readonly element: string;
    readonly length: () => number;
    readonly bytes: number;
  }[] = [];

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** The variable through which a tensor is read or written, as an array of `element`; the same for the same tensor. */
  binding(tensor: string, access: Bound['access'], element: string): string {
    const known = this.#bindings.find((one) => one.tensor === tensor);
    if (known) {
      if (known.element !== element || known.access !== access) {
        throw new Error(
          `"${tensor}" is bound as ${known.access} ${known.element} and as ${access} ${element}.`,
        );
      }
      return known.name;
    }
    const name = `t${this.#bindings.length}_${tensor.replace(/[^A-Za-z0-9]+/g, '_')}`;
    this.#bindings.push({ tensor, access, element, name });
    return name;
  }

  /** A word of the arguments, as i32. */
  word(slot: Slot): string {
    const key = JSON.stringify(slot);
    const at = this.#slots.get(key)?.at ?? this.#slots.size;
    this.#slots.set(key, { at, slot });
    return `args[${at >> 2}].${'xyzw'[at & 3]}`;
  }

  stride = (tensor: string, axis: number): string => this.word({ kind: 'stride', tensor, axis });
  offset = (tensor: string): string => this.word({ kind: 'offset', tensor });
  size = (tensor: string, axis: number): string => this.word({ kind: 'size', tensor, axis });
  length = (name: string): string => this.word({ kind: 'length', name });
  number = (name: string): string => this.word({ kind: 'number', name });
  /** A uniform of the program, as f32 or i32. */
  uniform(name: string, type: 'float' | 'int'): string {
    const word = this.word({ kind: 'uniform', name, type });
    return type === 'float' ? `bitcast<f32>(${word})` : word;
  }

  /** The name of a function that the shader then holds, with all that it needs. */
  use(one: WgslFunction): string {
    for (const needed of one.needs ?? []) this.use(needed);
    const known = this.#functions.get(one.name);
    if (known && known.code !== one.code) throw new Error(`Two functions are called ${one.name}.`);
    this.#functions.set(one.name, one);
    return one.name;
  }

  /** A function of this shader alone, called by the name that is returned. It sees all bindings. */
  function(hint: string, params: readonly string[], body: (code: Code) => void, result?: string): string {
    const name = this.code.name(hint);
    const code = this.code.another();
    body(code);
    this.#declared.push(
      `fn ${name}(${params.join(', ')})${result ? ` -> ${result}` : ''} {\n${code.text}\n}`,
    );
    return name;
  }

  /**
   * Memory that the workgroup shares: `length` times `element`, which takes `bytes` each. The length may be known only when the
   * shader is finished; none is declared where it is zero.
   */
  workgroup(hint: string, element: string, length: number | (() => number), bytes = 4): string {
    const name = this.code.name(hint);
    this.#shared.push({ name, element, bytes, length: typeof length === 'number' ? () => length : length });
    return name;
  }

  /** Turns a directive on, such as `enable f16;`. */
  readonly #directives = new Set<string>();
  enable(extension: string): void {
    this.#directives.add(`enable ${extension};`);
  }

  readonly #builtins = new Map<string, string>();
  /** What WGSL knows of the invocation by this name besides `lid` and `group`, as i32. Seen in the body alone. */
  builtin(name: 'subgroup_id'): string {
    const known = this.#builtins.get(name) ?? this.code.name(name);
    this.#builtins.set(name, known);
    return `i32(${known})`;
  }

  /**
   * The finished shader. Within the body `lid` is the invocation's index in its workgroup (i32, below x * y * z), and
   * `group` the index of the workgroup (i32), which may be past the last one: the body has to look.
   */
  finish(invocations: number): Shader {
    const { machine } = this;
    const shared = this.#shared
      .map((one) => ({ ...one, length: one.length() }))
      .filter(({ length }) => length > 0);
    // As compilers lay it out.
    const workgroupBytes = shared.reduce(
      (sum, { length, bytes }) => sum + Math.ceil((length * bytes) / 16) * 16,
      0,
    );
    if (invocations > machine.invocations || workgroupBytes > machine.workgroupBytes) {
      throw new Error(
        `A shader of ${invocations} invocations and ${workgroupBytes} bytes of workgroup memory exceeds the device ` +
          `(${machine.invocations}, ${machine.workgroupBytes}).`,
      );
    }
    const slots = [...this.#slots.values()].map(({ slot }) => slot);
    const words = Math.max(1, Math.ceil(slots.length / 4));
    const params = [
      '@builtin(local_invocation_index) local_index: u32',
      '@builtin(workgroup_id) workgroup: vec3<u32>',
      '@builtin(num_workgroups) workgroups: vec3<u32>',
      ...[...this.#builtins].map(([builtin, name]) => `@builtin(${builtin}) ${name}: u32`),
    ];
    const code = [
      ...this.#directives,
      `@group(0) @binding(0) var<uniform> args: array<vec4<i32>, ${words}>;`,
      ...this.#bindings.map(
        ({ name, access, element }, at) =>
          `@group(0) @binding(${at + 1}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name}: array<${element}>;`,
      ),
      ...shared.map(({ name, element, length }) => `var<workgroup> ${name}: array<${element}, ${length}>;`),
      ...this.#declared,
      ...[...this.#functions.values()].map((one) => one.code),
      `@compute @workgroup_size(${invocations})`,
      `fn main(${params.join(', ')}) {`,
      '  let lid = i32(local_index);',
      '  let group = i32(workgroup.x + workgroup.y * workgroups.x);',
      this.code.text,
      '}',
      '',
    ].join('\n');
    return { code, slots, buffers: this.#bindings.map(({ tensor, access }) => ({ tensor, access })) };
  }
}
