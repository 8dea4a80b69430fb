/** A number's look with nothing set, for tests and the scripted host: each names what it is about. */
import type { NumberLook } from '../generated/frame'

export const PLAIN: NumberLook = {
  unit: null,
  decimals: 0,
  digits: null,
  min: null,
  max: null,
  bands: [],
  trend_ms: null,
  target: null,
  better: null,
  draw: null,
}
