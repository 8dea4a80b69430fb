/**
 * The atlas as a text: rings and lines of whole steps, each point as its distance from the one before. Steps are small, so most are one
 * letter, and letters pack better than digits. `atlas/pack.ts` writes it while the page is built.
 */
import type { MultiLineString, MultiPolygon, Position } from 'geojson'

export interface Atlas {
  /** All land but the US. */
  readonly land: MultiPolygon
  readonly borders: MultiLineString
  readonly states: MultiPolygon
  readonly state_borders: MultiLineString
}

/** Steps of a degree: 440 m, finer than what was drawn at 1:50 million. */
const STEPS = 250
/** Letters without quotes, backslash and those that part things. A digit of the lower half ends its number. */
const LETTERS = ' !#$%()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz'
const HALF = 43
const RING = '{'
const AREA = '}'
const PART = '~'

function number_text(value: number): string {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let text = ''
  for (; rest >= HALF; rest = Math.floor(rest / HALF)) text += LETTERS.charAt(HALF + (rest % HALF))
  return text + LETTERS.charAt(rest)
}

/** A line as text, and of how many different points in turn. */
function line_text(line: readonly Position[]): { text: string; points: number } {
  let [x, y] = [0, 0]
  let text = ''
  let points = 0
  for (const [index, [lon, lat]] of line.entries()) {
    const [to_x, to_y] = [Math.round((lon ?? 0) * STEPS), Math.round((lat ?? 0) * STEPS)]
    if (index > 0 && to_x === x && to_y === y) continue
    text += number_text(to_x - x) + number_text(to_y - y)
    x = to_x
    y = to_y
    points += 1
  }
  return { text, points }
}

export function packed({ land, borders, states, state_borders }: Atlas): string {
  const lines = (all: readonly Position[][], points_min: number): string =>
    all
      .map(line_text)
      .filter(({ points }) => points >= points_min)
      .map(({ text }) => text)
      .join(RING)
  // What is a ring has four points, the last of them its first.
  const areas = (all: readonly Position[][][]): string =>
    all
      .map((rings) => lines(rings, 4))
      .filter((text) => text !== '')
      .join(AREA)
  return [
    areas(land.coordinates),
    lines(borders.coordinates, 2),
    areas(states.coordinates),
    lines(state_borders.coordinates, 2),
  ].join(PART)
}

function read_line(text: string): Position[] {
  const line: Position[] = []
  const at = [0, 0]
  let axis = 0
  let value = 0
  let place = 1
  for (const letter of text) {
    const digit = LETTERS.indexOf(letter)
    value += (digit % HALF) * place
    place *= HALF
    if (digit >= HALF) continue
    at[axis] = (at[axis] ?? 0) + (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
    if (axis === 1) line.push([(at[0] ?? 0) / STEPS, (at[1] ?? 0) / STEPS])
    axis = 1 - axis
    value = 0
    place = 1
  }
  return line
}

export function unpacked(text: string): Atlas {
  const [land = '', borders = '', states = '', state_borders = ''] = text.split(PART)
  const lines = (all: string): Position[][] => all.split(RING).map(read_line)
  const areas = (all: string): MultiPolygon => ({ type: 'MultiPolygon', coordinates: all.split(AREA).map(lines) })
  const border = (all: string): MultiLineString => ({ type: 'MultiLineString', coordinates: lines(all) })
  return { land: areas(land), borders: border(borders), states: areas(states), state_borders: border(state_borders) }
}
