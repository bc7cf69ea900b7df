// A question to all invocations of a workgroup.

import type { Code, ShaderWriter } from '../shader.ts';

export class Vote {
  readonly #code: Code;
  readonly #votes: string;
  readonly #outcome: string;

  constructor(shader: ShaderWriter) {
    const { code } = shader;
    this.#code = code;
    this.#votes = shader.workgroup('votes', 'atomic<u32>', 1);
    this.#outcome = shader.workgroup('outcome', 'u32', 1);
    code.if('lid == 0', () => code.line(`atomicStore(&${this.#votes}[0], 0u);`));
    code.barrier();
  }

  /** Whether it holds for any of them: all wait, and learn the same. */
  any(holds: string): string {
    const code = this.#code;
    code.if(holds, () => code.line(`atomicStore(&${this.#votes}[0], 1u);`));
    code.barrier();
    code.if('lid == 0', () => {
      code.set(`${this.#outcome}[0]`, `atomicLoad(&${this.#votes}[0])`);
      code.line(`atomicStore(&${this.#votes}[0], 0u);`);
    });
    return code.let('any', `workgroupUniformLoad(&${this.#outcome}[0]) != 0u`);
  }
}
