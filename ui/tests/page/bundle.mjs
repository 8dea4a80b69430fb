/** What is shipped. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { check } from './harness.mjs'
import { DIST } from './served.mjs'

export const GZIP_BYTES_MAX = 450 * 1024
/** MapLibre and what reads a file of tiles: loaded only by a map whose board names one, and counted apart. */
export const TILES_GZIP_BYTES_MAX = 480 * 1024
const TILES = /^assets\/(tiles|ground|source|maplibre-gl-worker)-/

/** How many bytes packed each file of the built page has, and whether it is the tile map's. */
export async function shipped() {
  const names = (await readdir(DIST, { recursive: true })).filter((name) => extname(name) !== '')
  const files = names.map(async (name) => {
    const content = await readFile(join(DIST, name))
    // Faces are packed already; gzip doesn't make them smaller.
    return { name, content, bytes: Math.min(content.length, gzipSync(content).length), is_tiles: TILES.test(name) }
  })
  return Promise.all(files)
}

export async function bundle() {
  await check(`the bundle is at most ${GZIP_BYTES_MAX} bytes packed and holds no scripted host`, async () => {
    let [bytes, tiles] = [0, 0]
    for (const { name, content, bytes: packed, is_tiles } of await shipped()) {
      if (is_tiles) tiles += packed
      else bytes += packed
      assert.ok(!content.includes('San Francisco') || name.includes('map'), `${name} holds the made-up day`)
      assert.ok(!content.includes('FakeHost'), `${name} holds the scripted host`)
    }
    console.log(`     ${bytes} bytes, and ${tiles} of the tile map`)
    assert.ok(bytes <= GZIP_BYTES_MAX, `${bytes} bytes`)
    assert.ok(tiles > 0 && tiles <= TILES_GZIP_BYTES_MAX, `${tiles} bytes of the tile map`)
    // No page waits for it: what is asked for later is named by nothing that the page names itself.
    const [index] = (await shipped()).filter(({ name }) => name === 'index.html')
    assert.ok(!/tiles-|ground-|maplibre/.test(String(index?.content)), 'the page names the tile map')
  })
}
