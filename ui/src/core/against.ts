/** What a second source says of the same quantity. */
import type { Against } from '../generated/frame'

/** Whether it is the same as before: it comes anew with every frame. */
export function is_same(one: Against | null, other: Against | null): boolean {
  if (one === null || other === null) return one === other
  return (
    one.source === other.source &&
    one.title === other.title &&
    one.own_title === other.own_title &&
    one.agreement === other.agreement &&
    one.value === other.value &&
    one.reason === other.reason
  )
}
