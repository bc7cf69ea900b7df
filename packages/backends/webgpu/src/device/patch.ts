// Bytes written into a word of which the others stay: the queue itself writes whole words only.

import { least } from '../emit/machine.ts';
import type { Dispatch } from '../emit/plan.ts';
import { ShaderWriter } from '../emit/shader.ts';

/** One word of the tensor "target" changed: the bits of `mask` become those of `value`. */
export const patchWord = (word: number, mask: number, value: number): Dispatch => ({
  key: 'word',
  groups: 1,
  numbers: { word, mask, value },
  emit: () => {
    const shader = new ShaderWriter(least);
    const target = shader.binding('out:target', 'write', 'u32');
    const { code } = shader;
    const [word, mask, value] = ['word', 'mask', 'value'].map((name) => shader.number(name));
    const old = code.let('old', `${target}[${word}]`);
    const bits = code.let('mask', `bitcast<u32>(${mask})`);
    code.if('group == 0', () =>
      code.set(`${target}[${word}]`, `(${old} & ~${bits}) | (bitcast<u32>(${value}) & ${bits})`),
    );
    return shader.finish(1);
  },
});
