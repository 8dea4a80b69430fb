/** What of a widget's value a page hasn't got yet, as the backend sends it. */
import type { WidgetValue } from '../generated/frame'

export class Changes {
  #sent = new Map<string, string>()

  /** Whoever asks next has nothing. */
  forget(): void {
    this.#sent.clear()
  }

  /** The value as a change to what was sent before, or null if nothing changed. */
  of(id: string, value: WidgetValue): WidgetValue | null {
    const changed = (key: string, part: unknown): boolean => {
      const text = JSON.stringify(part)
      if (this.#sent.get(`${id}/${key}`) === text) return false
      this.#sent.set(`${id}/${key}`, text)
      return true
    }
    const first = !this.#sent.has(`${id}/`)
    if (!changed('', value)) return null
    if (first) this.#remember(id, value)
    if (first || value.kind === 'number' || value.kind === 'status') return value
    if (value.kind === 'table') {
      const order = value.order ?? []
      const before = JSON.parse(this.#sent.get(`${id}/order`) ?? '[]') as string[]
      const rows = value.rows.filter((row) => changed(`row/${row.key}`, row))
      const removed = before.filter((key) => !order.includes(key))
      for (const key of removed) this.#sent.delete(`${id}/row/${key}`)
      return { ...value, whole: false, rows, removed, order: changed('order', order) ? order : null }
    }
    if (value.kind === 'markers') {
      const keys = value.markers.map((marker) => marker.key)
      const before = JSON.parse(this.#sent.get(`${id}/keys`) ?? '[]') as string[]
      changed('keys', keys)
      const markers = value.markers.filter((marker) => changed(`marker/${marker.key}`, marker))
      return { ...value, whole: false, markers, removed: before.filter((key) => !keys.includes(key)) }
    }
    if (value.kind === 'log') {
      const newest = Number(this.#sent.get(`${id}/newest`) ?? 0)
      this.#sent.set(`${id}/newest`, String(value.lines[0]?.number ?? 0))
      return { ...value, whole: false, lines: value.lines.filter((line) => line.number > newest) }
    }
    if (value.kind !== 'series') return value
    const lines = value.lines.map(({ key, points }) => ({
      key,
      points: points.filter((point) => changed(`${key}/${String(point[0])}`, point)),
    }))
    return { ...value, whole: false, lines }
  }

  #remember(id: string, value: WidgetValue): void {
    const keep = (key: string, part: unknown): void => {
      this.#sent.set(`${id}/${key}`, JSON.stringify(part))
    }
    if (value.kind === 'table') {
      keep('order', value.order)
      for (const row of value.rows) keep(`row/${row.key}`, row)
    } else if (value.kind === 'markers') {
      keep(
        'keys',
        value.markers.map((marker) => marker.key),
      )
      for (const marker of value.markers) keep(`marker/${marker.key}`, marker)
    } else if (value.kind === 'log') keep('newest', value.lines[0]?.number ?? 0)
    else if (value.kind === 'series')
      for (const line of value.lines) for (const point of line.points) keep(`${line.key}/${String(point[0])}`, point)
  }
}
