import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { atlas } from './atlas/pack.ts'

export default defineConfig({
  plugins: [svelte({ compilerOptions: { runes: true } }), atlas()],
  clearScreen: false,
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  build: {
    target: 'safari16.4',
    outDir: 'dist',
    // Everything is a file of its own, so the content security policy needs no data: addresses.
    assetsInlineLimit: 0,
    // MapLibre is the largest, and is loaded by few.
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    // No test is of time, and the machine may have other work.
    testTimeout: 60_000,
  },
})
