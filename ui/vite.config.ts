import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte({ compilerOptions: { runes: true } })],
  clearScreen: false,
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  // The atlas is parsed as data, which is many times quicker than as a program.
  json: { stringify: true },
  build: {
    target: 'safari16.4',
    outDir: 'dist',
    // Everything is a file of its own, so the content security policy needs no data: addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    reportCompressedSize: false,
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
})
