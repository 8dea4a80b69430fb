// H7: what is shown is at most one pace behind what is held, however fast changes come.
import { expect, test } from 'vitest'
import { Lane } from './lane'

const PACE_MS = 100
const GAP_MS = 33

/** Changes every `every_ms` for `ms`, gaps every {@link GAP_MS}: how often each passed, and how long the longest waited. */
function flood(ids: readonly string[], every_ms: number, ms: number): { passed: number[]; longest_ms: number } {
  const lane = new Lane(PACE_MS)
  const passed = new Map(ids.map((id) => [id, 0]))
  const since = new Map<string, number>()
  let longest_ms = 0
  const pass = (id: string, now: number): void => {
    passed.set(id, (passed.get(id) ?? 0) + 1)
    longest_ms = Math.max(longest_ms, now - (since.get(id) ?? now))
    since.delete(id)
  }
  for (let now = 0; now < ms; now += 1) {
    if (now % every_ms === 0) {
      for (const id of ids) {
        if (lane.offer(id, now)) pass(id, now)
        else if (!since.has(id)) since.set(id, now)
      }
    }
    if (now % GAP_MS === 0) {
      for (const id of lane.due(now, GAP_MS)) {
        lane.pass(id, now)
        pass(id, now)
      }
    }
  }
  return { passed: [...passed.values()], longest_ms }
}

test('a change after a rest passes at once, one in a flood waits for its turn', () => {
  const lane = new Lane(PACE_MS)
  expect(lane.offer('a', 0)).toBe(true)
  expect(lane.offer('a', 50)).toBe(false)
  expect([lane.holds('a'), lane.next_ms(), lane.due(99, GAP_MS)]).toEqual([true, 100, []])
  expect(lane.due(100, GAP_MS)).toEqual(['a'])
  lane.pass('a', 100)
  expect([lane.holds('a'), lane.next_ms()]).toEqual([false, Infinity])
  expect(lane.offer('a', 300)).toBe(true)
})

test('nothing that changed is left behind', () => {
  const lane = new Lane(PACE_MS)
  lane.offer('a', 0)
  lane.offer('a', 10)
  lane.offer('a', 500)
  expect(lane.due(500, GAP_MS)).toEqual(['a'])
  lane.forget('a')
  expect(lane.due(500, GAP_MS)).toEqual([])
})

test('each keeps its pace in a flood, few or many', () => {
  for (const count of [1, 3, 12]) {
    const ids = Array.from({ length: count }, (_, at) => String(at))
    const { passed, longest_ms } = flood(ids, 1, 10_000)
    expect(Math.min(...passed)).toBeGreaterThan(60)
    expect(Math.max(...passed)).toBeLessThanOrEqual(101)
    expect(longest_ms).toBeLessThan(2 * PACE_MS)
  }
})
