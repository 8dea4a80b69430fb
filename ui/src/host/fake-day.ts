/** A made-up winter day at three airports, for looking at the page without a backend. The same seed gives the same day. */
import { geoDistance, geoInterpolate } from 'd3-geo'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
/** 8 February 2013, 00:00 in New York. */
export const MIDNIGHT_MS = Date.UTC(2013, 1, 8, 5)

export interface Airport {
  readonly code: string
  readonly name: string
  readonly lat: number
  readonly lon: number
}

export const ORIGINS: readonly Airport[] = [
  { code: 'EWR', name: 'Newark', lat: 40.6925, lon: -74.1687 },
  { code: 'JFK', name: 'Kennedy', lat: 40.6398, lon: -73.7789 },
  { code: 'LGA', name: 'LaGuardia', lat: 40.7772, lon: -73.8726 },
]

const TO: readonly Airport[] = [
  { code: 'BOS', name: 'Boston', lat: 42.3643, lon: -71.0052 },
  { code: 'ORD', name: 'Chicago O’Hare', lat: 41.9786, lon: -87.9048 },
  { code: 'ATL', name: 'Atlanta', lat: 33.6367, lon: -84.4281 },
  { code: 'LAX', name: 'Los Angeles', lat: 33.9425, lon: -118.4081 },
  { code: 'SFO', name: 'San Francisco', lat: 37.619, lon: -122.3749 },
  { code: 'MIA', name: 'Miami', lat: 25.7932, lon: -80.2906 },
  { code: 'DCA', name: 'Washington', lat: 38.8521, lon: -77.0377 },
  { code: 'BUF', name: 'Buffalo', lat: 42.9405, lon: -78.7322 },
  { code: 'ROC', name: 'Rochester', lat: 43.1189, lon: -77.6724 },
  { code: 'PWM', name: 'Portland', lat: 43.6462, lon: -70.3093 },
  { code: 'CLT', name: 'Charlotte', lat: 35.214, lon: -80.9431 },
  { code: 'DTW', name: 'Detroit', lat: 42.2124, lon: -83.3534 },
  { code: 'CLE', name: 'Cleveland', lat: 41.4117, lon: -81.8498 },
  { code: 'PIT', name: 'Pittsburgh', lat: 40.4915, lon: -80.2329 },
  { code: 'RDU', name: 'Raleigh', lat: 35.8776, lon: -78.7875 },
  { code: 'BTV', name: 'Burlington', lat: 44.4719, lon: -73.1533 },
  { code: 'SYR', name: 'Syracuse', lat: 43.1112, lon: -76.1063 },
  { code: 'YYZ', name: 'Toronto', lat: 43.6772, lon: -79.6306 },
]
/** The data has no position for this one. */
const UNPLACED: Airport = { code: 'SJU', name: 'San Juan', lat: NaN, lon: NaN }
const CARRIERS = ['UA', 'B6', 'EV', 'DL', 'AA', 'MQ', '9E', 'US', 'WN', 'VX']

export interface Flight {
  readonly key: string
  readonly name: string
  readonly from: Airport
  readonly to: Airport
  readonly scheduled_ms: number
  readonly cancelled: boolean
  /** When it became known that it is late or cancelled. */
  readonly told_ms: number
  readonly delay_min: number
  readonly off_ms: number
  readonly on_ms: number
}

export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How much of the traffic the snow stops at an hour of the day. */
function stopped(hour: number): number {
  if (hour < 11) return 0.06
  return Math.min(1, 0.06 + (hour - 11) * 0.17)
}

export function day(seed = 8): Flight[] {
  const dice = random(seed)
  const flights: Flight[] = []
  for (let minute = 5.5 * 60; minute < 23.5 * 60; minute += 1.1 + dice() * 0.35) {
    const from = ORIGINS[Math.floor(dice() * 3)] as Airport
    const to = dice() < 0.025 ? UNPLACED : (TO[Math.floor(dice() * TO.length)] as Airport)
    const number = 100 + Math.floor(dice() * 4_400)
    const carrier = CARRIERS[Math.floor(dice() * CARRIERS.length)] ?? 'UA'
    const scheduled_ms = MIDNIGHT_MS + Math.round(minute / 5) * 5 * MINUTE_MS
    const cancelled = dice() < stopped(minute / 60)
    const delay_min = Math.max(-8, Math.round(dice() * dice() * (20 + Math.max(0, minute / 60 - 9) * 22) - 6))
    const off_ms = scheduled_ms + delay_min * MINUTE_MS + 12 * MINUTE_MS
    const way = geoDistance([from.lon, from.lat], [to.lon, to.lat])
    flights.push({
      key: `${carrier}${String(number)}-${String(minute)}`,
      name: `${carrier} ${String(number)}`,
      from,
      to,
      scheduled_ms,
      cancelled,
      told_ms: scheduled_ms - (40 + dice() * 200) * MINUTE_MS,
      delay_min,
      off_ms,
      on_ms: off_ms + (Number.isNaN(way) ? 3.5 : (way * 3_440) / 440 + 0.25) * HOUR_MS,
    })
  }
  return flights
}

/** Where it is at an instant in the air, and where its nose points. */
export function aloft(flight: Flight, now_ms: number): { lat: number; lon: number; heading: number } {
  const way = geoInterpolate([flight.from.lon, flight.from.lat], [flight.to.lon, flight.to.lat])
  const part = (now_ms - flight.off_ms) / (flight.on_ms - flight.off_ms)
  const [lon, lat] = way(part)
  const [next_lon, next_lat] = way(Math.min(1, part + 0.01))
  const east = (next_lon - lon) * Math.cos((lat * Math.PI) / 180)
  return { lat, lon, heading: (Math.atan2(east, next_lat - lat) * 180) / Math.PI }
}
