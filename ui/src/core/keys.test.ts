// One table of keys: nothing in it is heard twice at one place, and the documentation says the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { say } from '../words/say'
import { key_groups, key_name, type KeyLine, KEYS, lines_of, PLACES, type Stroke, stroke_name } from './keys'

const LINES: readonly KeyLine[] = KEYS
const stroke = (key: string, more: Partial<Stroke> = {}): Stroke => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  shiftKey: false,
  repeat: false,
  ...more,
})

test('no key means two things at one place, and no two lines are called alike', () => {
  for (const place of PLACES) {
    const strokes = LINES.filter((line) => line.place === place).flatMap((line) => line.strokes)
    expect(new Set(strokes).size, place).toBe(strokes.length)
  }
  expect(new Set(LINES.map(({ id }) => id)).size).toBe(LINES.length)
})

test('what lies above hears a key first', () => {
  const ids = (one: Stroke): string[] => lines_of(one).map(({ id }) => id)
  expect(ids(stroke('Escape'))).toEqual([
    'drill-end',
    'keys-close',
    'alarm-close',
    'report-close',
    'history-close',
    'desk-leave',
    'chart-leave',
    'past-close',
    'panel-leave',
  ])
  expect(ids(stroke('R', { shiftKey: true }))).toEqual(['history-compare', 'past-play-back'])
  expect(ids(stroke('ArrowLeft', { shiftKey: true }))).toEqual(['chart-move', 'past-step'])
  expect(ids(stroke('ArrowUp'))).toEqual(['alarm-move', 'report-move', 'desk-move', 'chart-row', 'panel-move'])
})

test('a modifier makes it another key, and one that is held is heard once unless it moves something', () => {
  expect(stroke_name(stroke('+', { ctrlKey: true, shiftKey: true }))).toBe('ctrl++')
  expect(lines_of(stroke('r', { ctrlKey: true }))).toEqual([])
  expect(lines_of(stroke('l', { altKey: true }))).toEqual([])
  expect(lines_of(stroke('ArrowRight', { ctrlKey: true, shiftKey: true }))).toEqual([])
  expect(lines_of(stroke('l', { repeat: true }))).toEqual([])
  expect(lines_of(stroke('ArrowLeft', { repeat: true })).map(({ id }) => id)).toEqual([
    'desk-move',
    'chart-move',
    'past-step',
    'panel-move',
  ])
})

test('the list has all of them, by place', () => {
  const groups = key_groups(() => true)
  expect(groups[0]?.place).toBe('wall')
  expect(groups.flatMap(({ lines }) => lines)).toHaveLength(LINES.length)
  expect(key_groups(({ place }) => place !== 'demo').some(({ place }) => place === 'demo')).toBe(false)
})

test('the documentation has each of them', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8')
  const told = LINES.map((line) => `| \`${key_name(line)}\` | ${say(`keys.does.${line.id}`)} |`)
  expect(told.filter((line) => !text.includes(line))).toEqual([])
})
