/** What is said of a tile or cell that was not heard of for long. */
import type { TileValue } from '../generated/frame'
import { say } from '../words/say'

/** The tiles as they are shown: of one that is silent that it is, and of then no more than how it was. */
export function shown_tiles(tiles: readonly TileValue[]): readonly TileValue[] {
  return tiles.some(({ lost }) => lost === true) ? tiles.map(shown_tile) : tiles
}

function shown_tile(tile: TileValue): TileValue {
  if (tile.lost !== true) return tile
  const detail = tile.text === '' ? null : say('tiles.was', { was: tile.text })
  return { ...tile, text: say('tiles.silent'), detail }
}
