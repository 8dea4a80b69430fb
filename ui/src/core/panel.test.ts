// A title is whole, what may be incomplete says so in words wherever they fit (H1), and a number keeps its room.
import { expect, test } from 'vitest'
import { panel_shape, type PanelRoom } from './panel'
import { label_width_em, lines_of } from './width'

const ROOM: PanelRoom = {
  width: 47,
  height: 22,
  grow: 1,
  single: true,
  title: 'Share of big ones',
  note: null,
  word: 'live',
  loud: false,
  age: null,
  lacks: 'since 03:20:59',
  reason: null,
}
const DOWN: PanelRoom = {
  ...ROOM,
  word: 'down',
  loud: true,
  age: '12 s',
  reason: 'connection broken: closed during the handshake, next try in 20 s',
}

test('a panel of a quarter of the glass has room for what may be missing in words, a tile has it for the mark', () => {
  expect(panel_shape(ROOM)).toMatchObject({ worded: true, title_lines: 1 })
  expect(panel_shape({ ...ROOM, width: 31 }).worded).toBe(false)
})

test('the note gives way to the words, and the title doesn’t', () => {
  expect(panel_shape({ ...ROOM, note: 'last 20 seconds' })).toMatchObject({ worded: true, noted: false })
  expect(panel_shape({ ...ROOM, title: 'Share of the big ones of all' }).worded).toBe(false)
})

test('letters that are larger need more room', () => {
  expect(panel_shape({ ...ROOM, grow: 1.6 }).worded).toBe(false)
})

test('a narrow panel that isn’t live has a line of its own for it, a low one has none', () => {
  expect(panel_shape(DOWN).worded).toBe(true)
  expect(panel_shape({ ...DOWN, height: 11 }).worded).toBe(false)
})

test('a title takes the lines that it needs, and loses its middle only where it can have no more', () => {
  const title = 'Mean time from the call to the arrival of the first ambulance'
  expect(panel_shape({ ...ROOM, title, width: 31 })).toMatchObject({ title_lines: 2 })
  expect(panel_shape({ ...ROOM, title, width: 47 })).toMatchObject({ title, title_lines: 2 })
  const cut = panel_shape({ ...ROOM, title, width: 22, height: 11 })
  expect(cut.title).toMatch(/^Mean.* … .*lance$/)
  expect(lines_of(cut.title, (22 - 3) / 2.6)).toBeLessThanOrEqual(2)
})

test('beside a loud word a title of one number keeps its lines, or the word stands below', () => {
  const wide = { ...DOWN, width: 60, height: 30, lacks: null }
  expect(panel_shape(wide)).toMatchObject({ narrow: false, title_lines: 1 })
  const title = 'Ambulances on their way to a call now'
  expect(panel_shape({ ...wide, title })).toMatchObject({ narrow: true, title_lines: 1, title })
  expect(panel_shape({ ...wide, title, loud: false, word: 'live', age: null }).title_lines).toBe(1)
})

test('of a reason both ends stand: when it is tried again is its last word', () => {
  const { reason } = panel_shape({ ...DOWN, width: 60 })
  expect(reason).toMatch(/^connection.* … .*20 s$/)
  expect(label_width_em(reason ?? '') * 2.5).toBeLessThanOrEqual(57)
  expect(panel_shape({ ...DOWN, width: 60, height: 30 }).reason).toBe(DOWN.reason)
})
