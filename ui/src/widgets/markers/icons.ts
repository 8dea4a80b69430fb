/**
 * What markers are drawn as, told apart by their outline alone; none is like a state's shape, which stands around them. In a square of 24 around
 * 0, the nose of what turns to the north.
 */
import type { Icon } from '../../generated/frame'
import { SIGNS } from '../../core/signs'

interface Shape {
  readonly path: string
  /** Whether it is seen from above and turns with the heading; what doesn't has a pointer beside it. */
  readonly turns: boolean
}

const upright = (path: string): Shape => ({ path, turns: false })
const turning = (path: string): Shape => ({ path, turns: true })

export const ICONS: Record<Icon, Shape> = {
  aircraft: turning(
    'M0-12 1.900-4.200 11.400 4.200V6.600L1.900 3 1.400 7.800 4.800 10.800 0 9.800-4.800 10.800-1.400 7.800-1.900 3-11.400 6.600V4.200L-1.900-4.200Z',
  ),
  // The rotor's blades cross over a body with a tail.
  helicopter: turning(
    'M-9.600-11.400-2.600-5.200A4.500 4.500 0 0 1 2.600-5.200L9.600-11.400 11.400-9.600 4.400-2.600 11.400 4.400 9.600 6.200 2.800.800 1.300 3V8.500H4V11H-4V8.500H-1.300V3L-2.800.800-9.600 6.200-11.400 4.400-4.400-2.600-11.400-9.600Z',
  ),
  ship: turning('M0-12C4-8.500 5.500-5 5.500-1V11H-5.500V-1C-5.500-5-4-8.500 0-12ZM-2.500 0V7H2.500V0Z'),
  arrow: turning('M0-11.500 9 10.500 0 5.500-9 10.500Z'),
  car: upright(
    'M-11 5V0L-7.500-1.500-4.500-7H5L8.500-1.500 11 0V5H8.800A2.900 2.900 0 0 1 3 5H-3A2.900 2.900 0 0 1-8.800 5ZM-4.800-1.800H-.800V-5H-3.200ZM1-1.800H5.800L4-5H1ZM-8 5.400A2 2 0 0 0-4 5.400 2 2 0 0 0-8 5.400ZM4 5.400A2 2 0 0 0 8 5.400 2 2 0 0 0 4 5.400Z',
  ),
  truck: upright(SIGNS.truck),
  train: upright(
    'M-5-11.500H5A3 3 0 0 1 8-8.500V4A3 3 0 0 1 5 7L9 11.500H5.800L3.500 8.500H-3.500L-5.800 11.500H-9L-5 7A3 3 0 0 1-8 4V-8.500A3 3 0 0 1-5-11.500ZM-5.500-8.500V-2H5.500V-8.500ZM-5 1.500V4H-2V1.500ZM2 1.500V4H5V1.500Z',
  ),
  cross: upright(SIGNS.cross),
  flame: upright(SIGNS.flame),
  shield: upright(
    'M0-11.500C3-9.500 6-8.500 9.500-8.500V0C9.500 5.500 6 9 0 11.500-6 9-9.500 5.500-9.500 0V-8.500C-6-8.500-3-9.500 0-11.500Z',
  ),
  person: upright(SIGNS.person),
  box: upright(SIGNS.box),
  wrench: upright(SIGNS.wrench),
  other: upright(
    'M-6.500-4.500C-6.500-9-4-11.500 0-11.500S7-9 7-5.500C7-2.500 5-1 3.300.200 2.200 1 1.700 1.800 1.700 3.500H-1.900C-1.900.500-.700-.900 1-2.200 2.300-3.200 3.200-4 3.200-5.500 3.200-7.300 2-8.300 0-8.300S-3-7-3-4.500ZM-2.200 6.500H2.200V11H-2.200Z',
  ),
}

/** What a marker is drawn as: with a heading and no icon of its own, an aircraft; a dot without either. */
export function icon_of(marker: { readonly icon?: Icon | null; readonly heading: number | null }): Icon | null {
  return marker.icon ?? (marker.heading === null ? null : 'aircraft')
}
