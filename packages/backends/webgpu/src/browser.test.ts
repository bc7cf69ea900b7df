// The backend where most people will run it: in a browser, on its own WebGPU.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MULTIPLE, roundoff } from '@heed/testing';
import { expect, it } from 'vitest';
import { createViteServer } from 'vitest/node';
import { root, sourceFiles } from '../../../../scripts/workspace.ts';
import type { Told } from './browser.fixture.ts';

/** Without the last four there is no adapter, or one that ends with the first picture. */
const flags = [
  ...['--headless', '--no-sandbox', '--no-first-run', '--disable-quic', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--remote-debugging-port=0'],
  ...[
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
    '--use-angle=swiftshader',
  ],
];

/** The executable of Chromium. @throws Error where it is missing: a test that cannot run has failed. */
function chromium(): string {
  const { CHROME_PATH } = process.env;
  if (CHROME_PATH && existsSync(CHROME_PATH)) return CHROME_PATH;
  throw new Error(
    `there is no Chromium at CHROME_PATH (${CHROME_PATH}). \`node scripts/adapters.mjs\` provides it, from Debian's package chromium.`,
  );
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Serves a module of this folder to a browser, to this machine alone, and waits for what it tells. */
async function openPage(module: string): Promise<Told> {
  const told = Promise.withResolvers<Told>();
  const server = await createViteServer({
    root,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    resolve: {
      alias: Object.entries(sourceFiles()).map(([name, file]) => ({
        find: new RegExp(`^${name}$`),
        replacement: join(root, file),
      })),
    },
  });
  server.middlewares.use((request, response, next) => {
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        `<!doctype html><script type="module" src="/packages/backends/webgpu/src/${module}"></script>`,
      );
    } else if (request.url === '/told') {
      textOf(request).then((text) => told.resolve(JSON.parse(text)), told.reject);
      response.end();
    } else next();
  });
  await server.listen();
  const { port } = (server.httpServer as Server).address() as AddressInfo;
  const profile = mkdtempSync(join(tmpdir(), 'heed-chromium-'));
  // The drivers of the other tests are none of the browser's: it brings its own.
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...env } = process.env;
  const browser = spawn(chromium(), [...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`], {
    env,
  });
  const said: string[] = [];
  browser.stderr.on('data', (chunk) => void said.push(String(chunk)));
  browser.on('error', told.reject);
  const ended = new Promise<void>((done) => browser.on('close', () => done()));
  ended.then(() =>
    told.reject(new Error(`${chromium()} ended before the page had told anything.\n${said.join('')}`)),
  );
  try {
    return await told.promise;
  } finally {
    browser.kill();
    await ended;
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

it('attends forward and backward in Chromium as the reference does', { timeout: 120_000 }, async () => {
  const told = await openPage('browser.fixture.ts');
  if ('error' in told) expect.fail(told.error);
  expect(Object.keys(told.mine)).toEqual(['context', 'weights', 'key', 'value', 'w']);
  for (const [name, right] of Object.entries(told.right)) {
    const mine = told.mine[name] as readonly number[];
    const most = Math.max(...right.map(Math.abs));
    // Sums over 4 batches and heads of 9 queries, and over 12 keys.
    const allowed = MULTIPLE * (36 + 12) * roundoff.float32 * most;
    expect(mine.length).toBe(right.length);
    for (const [i, one] of right.entries()) {
      expect(
        Math.abs((mine[i] as number) - one),
        `${name}[${i}]: ${mine[i]}, expected ${one}`,
      ).toBeLessThanOrEqual(allowed);
    }
  }
});
