/** What a map of tiles asks of whatever runs the page. */
import type { MapAsked } from './choice'

/** A file of tiles as it is now. */
export interface TilesFile {
  /** Another one for another content. */
  readonly version: string
  readonly map: MapAsked
  /** Why that map. */
  readonly because: string
}

export interface TilesHost {
  /** How a file is that the board names. Fails with why it can't be used. */
  tiles_open(file: string): Promise<TilesFile>
  /** Bytes of that version of it, fewer where it ends. Fails if it is another by now. */
  tiles_read(file: string, version: string, offset: number, length: number): Promise<ArrayBuffer>
  /** Says by what a widget's map is drawn, and why. `amiss`: that isn't what was asked for, and people are to be told. */
  tiles_told(file: string, widget: string, text: string, amiss: boolean): Promise<void>
}
