const WIDTH = 480
const HEIGHT = 200
const LEFT = 48
const BOTTOM = 24
const TOP = 10
const GAP = 0.25
const TICKS = 4
const MOST_LABELS = 5

/** One value a day, as the numbers that a template draws from. */
export interface BarChart {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly bars: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[]
  readonly ticks: readonly { readonly y: number; readonly value: number }[]
  readonly labels: readonly { readonly x: number; readonly day: string }[]
}

/** The drawing of a series; `undefined` where there is nothing to draw. */
export function barChart(series: readonly { readonly day: string; readonly value: number }[]): BarChart | undefined {
  const highest = Math.max(0, ...series.map(({ value }) => value))
  if (highest === 0) return undefined
  const step = ceilingOf(highest / TICKS)
  const ceiling = step * TICKS
  const slot = (WIDTH - LEFT) / series.length
  const y = (value: number) => round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / ceiling))
  const every = Math.ceil(series.length / MOST_LABELS)
  return {
    width: WIDTH,
    height: HEIGHT,
    left: LEFT,
    bars: series.map(({ value }, index) => ({ x: round(LEFT + slot * (index + GAP / 2)), y: y(value), width: round(slot * (1 - GAP)), height: round(y(0) - y(value)) })),
    ticks: Array.from({ length: TICKS + 1 }, (_, index) => ({ y: y(step * index), value: step * index })),
    labels: series.flatMap(({ day }, index) => (index % every === 0 ? [{ x: round(LEFT + slot * (index + 0.5)), day }] : [])),
  }
}

/** The next of 1, 2, 5, 10, 20, 50… */
function ceilingOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? 10 * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
