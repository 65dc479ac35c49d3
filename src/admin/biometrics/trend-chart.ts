import { type Measure, type OutcomeReport, rateOf, shareOf } from '../../biometrics/index.ts'

const WIDTH = 480
const HEIGHT = 200
const LEFT = 60
const BOTTOM = 24
const TOP = 10
/** Ceilings of the scale, so that neither a small rate lies flat nor a large one runs out. */
const CEILINGS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]
const TICKS = 4
const MOST_LABELS = 5

/** A line of daily rates, as the numbers that a template draws from. */
export interface TrendChart {
  readonly width: number
  readonly height: number
  readonly left: number
  /** Pieces of the line: days with too few checks break it. */
  readonly lines: readonly string[]
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly ticks: readonly { readonly y: number; readonly rate: number }[]
  readonly labels: readonly { readonly x: number; readonly day: string; readonly anchor: 'start' | 'middle' | 'end' }[]
}

/** The drawing of one measure by day; undefined where no day has enough checks. */
export function trendChart({ trend }: OutcomeReport, measure: Measure): TrendChart | undefined {
  const rates = trend.map(({ day, tally }) => ({ day, rate: tally && rateOf(shareOf(measure, tally)) }))
  const highest = Math.max(...rates.map(({ rate }) => rate ?? -1))
  if (highest < 0) return undefined
  const ceiling = CEILINGS.find((limit) => limit >= highest) ?? 1
  const x = (index: number) => round(LEFT + ((WIDTH - LEFT - 8) * index) / Math.max(1, rates.length - 1))
  const y = (rate: number) => round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate / ceiling))
  const placed = rates.map(({ rate }, index) => (rate === undefined ? undefined : { x: x(index), y: y(rate) }))
  const every = Math.ceil((rates.length - 1) / (MOST_LABELS - 1)) || 1
  return {
    width: WIDTH,
    height: HEIGHT,
    left: LEFT,
    lines: pieces(placed).map((piece) => piece.map((point) => `${point.x},${point.y}`).join(' ')),
    points: placed.filter((point) => point !== undefined),
    ticks: Array.from({ length: TICKS + 1 }, (_, index) => ({ y: y((ceiling * index) / TICKS), rate: (ceiling * index) / TICKS })),
    labels: rates.flatMap(({ day }, index) => {
      if (index % every !== 0 && index !== rates.length - 1) return []
      if (index !== rates.length - 1 && rates.length - 1 - index < every) return []
      return [
        {
          x: x(index),
          day,
          anchor: index === 0 ? ('start' as const) : index === rates.length - 1 ? ('end' as const) : ('middle' as const),
        },
      ]
    }),
  }
}

interface Point {
  readonly x: number
  readonly y: number
}

function pieces(points: readonly (Point | undefined)[]): Point[][] {
  const all: Point[][] = [[]]
  for (const point of points) {
    if (point === undefined) all.push([])
    else all.at(-1)?.push(point)
  }
  return all.filter((piece) => piece.length > 1)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
