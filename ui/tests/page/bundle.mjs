/** What is shipped. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { check } from './harness.mjs'
import { DIST } from './served.mjs'

export const GZIP_BYTES_MAX = 450 * 1024

export async function bundle() {
  await check(`the bundle is at most ${GZIP_BYTES_MAX} bytes packed and holds no scripted host`, async () => {
    let bytes = 0
    for (const name of await readdir(DIST, { recursive: true })) {
      if (extname(name) === '') continue
      const content = await readFile(join(DIST, name))
      // Faces are packed already; gzip doesn't make them smaller.
      bytes += Math.min(content.length, gzipSync(content).length)
      assert.ok(!content.includes('San Francisco') || name.includes('map'), `${name} holds the made-up day`)
      assert.ok(!content.includes('FakeHost'), `${name} holds the scripted host`)
    }
    console.log(`     ${bytes} bytes`)
    assert.ok(bytes <= GZIP_BYTES_MAX, `${bytes} bytes`)
  })
}
