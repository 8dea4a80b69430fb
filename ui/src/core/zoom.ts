/** How large the wall is made by hand, on a desktop: below 1 more of it fits, above 1 it is a part that is looked at. */
const STEPS = [0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const

/** The next one: larger, smaller, or as it is by itself. */
export function zoom_from(zoom: number, key: string): number {
  if (key === '0') return 1
  const next = key === '-' ? STEPS.findLast((step) => step < zoom) : STEPS.find((step) => step > zoom)
  return next ?? zoom
}

/** What was remembered, if that is a size. */
export function zoom_of(text: string | null): number {
  const zoom = Number(text)
  return STEPS.find((step) => step === zoom) ?? 1
}
