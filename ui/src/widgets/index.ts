/** Every kind of widget. A new one is a folder with its body, and its line here. */
import type { Component } from 'svelte'
import type { Look } from '../generated/frame'
import type { Cell, LiveWall } from '../wall.svelte'
import Drawn from './figure/Drawn.svelte'
import Heat from './heat/Heat.svelte'
import Histogram from './histogram/Histogram.svelte'
import Matrix from './matrix/Matrix.svelte'
import Log from './log/Log.svelte'
import Markers from './markers/Markers.svelte'
import Series from './series/Series.svelte'
import Status from './status/Status.svelte'
import Table from './table/Table.svelte'
import Tally from './tally/Tally.svelte'
import Timeline from './timeline/Timeline.svelte'

export interface WidgetProps {
  live: LiveWall
  cell: Cell
}

/** How often what it shows is painted: with every frame, or at the pace of rows or of charts. */
export type Pace = 'frames' | 'rows' | 'charts'

export interface WidgetKind {
  readonly body: Component<WidgetProps>
  readonly pace: Pace
  /** One number: it stands at its place and in its size whatever becomes of its link, and what is said of that stands over its body. */
  readonly single: boolean
}

/** Its look says how it is drawn. */
const number: WidgetKind = { body: Drawn, pace: 'frames', single: true }
const rows = (body: Component<WidgetProps>): WidgetKind => ({ body, pace: 'rows', single: false })

export const WIDGETS: Record<Look['kind'], WidgetKind> = {
  counter: number,
  rate: number,
  window: number,
  gauge: number,
  table: rows(Table),
  log: rows(Log),
  status: rows(Status),
  matrix: rows(Matrix),
  tally: rows(Tally),
  timeline: rows(Timeline),
  markers: rows(Markers),
  series: { body: Series, pace: 'charts', single: false },
  histogram: { body: Histogram, pace: 'charts', single: false },
  heat: { body: Heat, pace: 'charts', single: false },
}
