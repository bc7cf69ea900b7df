import { fileURLToPath } from 'node:url';
import { BackendError } from '@heed/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bundle } from '../../scripts/esbuild.ts';
import { cpu } from '../index.ts';

afterEach(() => {
  vi.doUnmock('./engine.ts');
});

describe('the plugin', () => {
  it('is small: what computes is loaded when it is opened', () => {
    const index = fileURLToPath(new URL('../index.ts', import.meta.url));
    const script = bundle(index, { format: 'esm', minify: true, external: ['@heed/*', './engine.ts'] });
    expect(script).toMatch(/import\(["']\.\/engine\.ts["']\)/);
    expect(script.length).toBeLessThan(1000);
  });

  it('says so where that cannot be loaded', async () => {
    vi.doMock('./engine.ts', () => {
      throw new Error('the network is down');
    });
    const opening = cpu().open();
    await expect(opening).rejects.toThrow(BackendError);
    await expect(opening).rejects.toThrow('cpu: open: its code could not be loaded');
  });
});
