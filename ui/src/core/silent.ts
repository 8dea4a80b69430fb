/** What is said of a tile or cell that was not heard of for long. */
import type { TileValue } from '../generated/frame'
import { say } from '../words/say'

/** The tiles as they are shown: of one that is silent only how it was, and no detail of then. */
export function shown_tiles(tiles: readonly TileValue[]): readonly TileValue[] {
  return tiles.some(({ lost }) => lost === true) ? tiles.map(shown_tile) : tiles
}

function shown_tile(tile: TileValue): TileValue {
  if (tile.lost !== true) return tile
  const text = tile.text === '' ? say('tiles.silent') : say('tiles.silent-was', { was: tile.text })
  return { ...tile, text, detail: null }
}
