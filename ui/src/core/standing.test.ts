import { expect, test } from 'vitest'
import { replay_stands, standing, type Times } from './standing'

const LIVE: Times = { silent: false, past: null, replay_label: null, speed: 1, sources: [{ freshness: 'live' }] }
const DOWN = [{ freshness: 'down' as const }]

test('times that are of now need no word', () => {
  expect(standing(LIVE)).toBeNull()
  expect(standing({ ...LIVE, replay_label: 'Replay', speed: 60 })).toBeNull()
  // The present goes on, whatever becomes of a link; and with no source at all.
  expect(standing({ ...LIVE, sources: DOWN })).toBeNull()
  expect(standing({ ...LIVE, sources: [] })).toBeNull()
})

test('a time that stands says why, the worst first', () => {
  const replay = { ...LIVE, replay_label: 'Replay', speed: 0 }
  expect(standing(replay)).toEqual({ code: 'paused', loud: false })
  expect(standing({ ...replay, sources: DOWN })).toEqual({ code: 'not-live', loud: true })
  expect(standing({ ...LIVE, speed: 0, sources: DOWN })).toEqual({ code: 'not-live', loud: true })
  expect(standing({ ...replay, sources: DOWN, past: {} })).toEqual({ code: 'recorded', loud: false })
  expect(standing({ ...replay, sources: DOWN, past: {}, silent: true })).toEqual({ code: 'stopped', loud: true })
})

test('only the first source’s time is the board’s', () => {
  const sources = [{ freshness: 'live' as const }, ...DOWN]
  expect(replay_stands({ replay_label: 'Replay', speed: 0, sources })).toBe(false)
})
