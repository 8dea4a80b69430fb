// What may be incomplete says so in words wherever they fit (H1).
import { expect, test } from 'vitest'
import { title_line } from './title'

const LINE = {
  width: 47,
  height: 22,
  grow: 1,
  title: 'Share of big ones',
  note: null,
  freshness: 'live',
  age: null,
  lacks: 'since 03:20:59',
} as const

test('a panel of a quarter of the glass has room for the words, a tile has it for the mark', () => {
  expect(title_line(LINE)).toEqual({ worded: true, crowded: false })
  expect(title_line({ ...LINE, width: 31 })).toEqual({ worded: false, crowded: false })
})

test('the note gives way to the words, and the title doesn’t', () => {
  expect(title_line({ ...LINE, note: 'last 20 seconds' })).toEqual({ worded: true, crowded: true })
  expect(title_line({ ...LINE, title: 'Share of the big ones of all' }).worded).toBe(false)
})

test('letters that are larger need more room', () => {
  expect(title_line({ ...LINE, grow: 1.6 }).worded).toBe(false)
})

test('a narrow panel that isn’t live has a line of its own for it, a low one has none', () => {
  expect(title_line({ ...LINE, freshness: 'down', age: '12 s' }).worded).toBe(true)
  expect(title_line({ ...LINE, freshness: 'down', age: '12 s', height: 11 }).worded).toBe(false)
})
