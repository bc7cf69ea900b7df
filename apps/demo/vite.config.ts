import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// Without these two headers a page has no SharedArrayBuffer.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  server: { headers },
  preview: { headers },
  build: { target: 'es2022' },
  worker: { format: 'es' },
});
