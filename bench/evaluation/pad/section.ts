import { PAD_LIMITS } from '../../../src/biometrics/liveness/signals/pad-signal.ts'
import { percent, textOf } from '../proportion.ts'
import type { Figure, Section, Table } from '../report.ts'
import { type Chart, histogramOf } from '../svg.ts'
import { MISUSES, type Trial } from './campaign.ts'
import { type Answer, answerOf, attackError, bonaFideError, detectionEqualError, type Judgement, meanScore, nonResponse } from './rates.ts'
import type { Species } from './species.ts'

const MOST = 0.05
const SHOWN = { rigid: 'flat', reacting: 'turns as asked' } as const

/** Presentation attack detection, judged over whole sessions. */
export function padSection(species: readonly Species[], trials: readonly Trial[], nets: boolean): Section {
  const groups = species.map((each) => ({ ...each, trials: trials.filter((trial) => trial.species === each.name) }))
  const people = groups.filter(({ kind }) => kind === 'bona fide')
  const attacks = groups.filter(({ kind }) => kind !== 'bona fide')
  const genuine = people.flatMap((group) => group.trials.filter(({ way }) => way === 'reacting'))
  const misused = MISUSES.map((way) => ({ way, trials: people.flatMap((group) => group.trials.filter((trial) => trial.way === way)) }))
  const scoresOf = (some: readonly Trial[]) => some.flatMap(({ outcome }) => (outcome ? [meanScore(outcome) ?? []].flat() : []))
  const presented = attacks.filter(({ kind }) => kind === 'presentation').flatMap((group) => group.trials)
  const equal = nets ? detectionEqualError(scoresOf(genuine), scoresOf(presented)) : undefined
  const tables = [
    attackTable(attacks, nets),
    bonaFideTable(people, nets),
    misuseTable(misused),
    ...(nets ? [tradeOffTable(genuine, attacks, equal), scoreTable(groups)] : []),
  ]
  return {
    name: 'pad',
    title: 'Presentation attacks, by session',
    tables,
    charts: nets ? { pad: padChart(scoresOf(genuine), scoresOf(presented)) } : {},
    figures: promised(attacks, people, misused),
    data: { limit: PAD_LIMITS, detectionEqualError: equal, trials },
  }
}

interface Group extends Species {
  readonly trials: readonly Trial[]
}

function answers(trials: readonly Trial[], judgement: Judgement): Answer[] {
  return trials.map(({ outcome }) => answerOf(outcome, judgement))
}

function attackTable(attacks: readonly Group[], nets: boolean): Table {
  const rows = attacks.flatMap((group) =>
    group.manners.map((way) => {
      const own = group.trials.filter((trial) => trial.way === way)
      const cells = nets ? (['live', 'passed', 'nets alone'] as const) : []
      return [
        group.name,
        group.kind,
        SHOWN[way],
        ...cells.map((judgement) => textOf(attackError(answers(own, judgement)))),
        ...(['liveWithoutNets', 'passedWithoutNets'] as const).map((judgement) => textOf(attackError(answers(own, judgement)))),
        percent(nonResponse(answers(own, 'live')).share),
      ]
    }),
  )
  return {
    title: 'APCER by species and by how it is shown',
    head: [
      'species',
      'kind',
      'shown',
      ...(nets ? ['APCER, session', 'accepted with the face match', 'APCER, PAD nets alone'] : []),
      'APCER, session, without the nets',
      'accepted without the nets',
      'APNRR',
    ],
    rows,
    notes: [
      'Session: the liveness decision with the face match left out. Accepted: the whole decision (the attacker has a picture of the very person). APNRR: the challenge was never completed, which refuses.',
      '"Turns as asked" bends the attack’s own picture like a head in answer to every step: harder than paper or a still screen can be, the worst case of a video puppet shown in that medium.',
      'Simulated attacks, made from photographs, unless the name says real. An injection never passed a camera: no PAD net can be asked to know it.',
    ],
  }
}

function bonaFideTable(people: readonly Group[], nets: boolean): Table {
  const judgements = [...(nets ? (['live', 'passed', 'nets alone'] as const) : []), ...(['liveWithoutNets', 'passedWithoutNets'] as const)]
  return {
    title: 'BPCER (a session that came to no answer counts as an error)',
    head: [
      'source',
      ...(nets ? ['session', 'with the face match', 'PAD nets alone'] : []),
      'session, without the nets',
      'with the face match, without the nets',
      'BPNRR',
    ],
    rows: people.map((group) => {
      const own = group.trials.filter(({ way }) => way === 'reacting')
      return [
        group.name,
        ...judgements.map((judgement) => textOf(bonaFideError(answers(own, judgement)))),
        percent(nonResponse(answers(own, 'live')).share),
      ]
    }),
    notes: [
      'Bona fide sessions are photographs of people bent to turn as asked: no living person took part. That is at the same time the injection that nothing here can tell from a person.',
    ],
  }
}

function misuseTable(misused: readonly { way: string; trials: readonly Trial[] }[]): Table {
  return {
    title: 'Broken rules of the protocol, shown with real pictures of the person',
    head: ['what', 'accepted', 'accepted without the nets'],
    rows: misused.map(({ way, trials }) => [
      way,
      textOf(attackError(answers(trials, 'live'))),
      textOf(attackError(answers(trials, 'liveWithoutNets'))),
    ]),
  }
}

function tradeOffTable(
  genuine: readonly Trial[],
  attacks: readonly Group[],
  equal: { rate: number; threshold: number } | undefined,
): Table {
  const limits = [0.1, 0.2, 0.3, PAD_LIMITS.minMean, 0.5, 0.6, 0.7, 0.8, 0.9]
  const share = (trials: readonly Trial[], passes: (score: number) => boolean) => {
    const scores = trials.flatMap(({ outcome }) => (outcome ? [meanScore(outcome) ?? []].flat() : []))
    return scores.filter(passes).length / scores.length
  }
  const presentations = attacks.filter(({ kind }) => kind === 'presentation')
  return {
    title: 'What the limit of the PAD signal trades (mean over the frontal frames of a session)',
    head: ['limit', 'BPCER', 'greatest APCER of a presentation species', 'which'],
    rows: limits.map((limit) => {
      const worst = presentations
        .map((group) => ({ name: group.name, rate: share(group.trials, (score) => score >= limit) }))
        .toSorted((a, b) => b.rate - a.rate)[0]
      const own = limit === PAD_LIMITS.minMean ? `**${limit}**` : String(limit)
      return [
        own,
        percent(share(genuine, (score) => score < limit)),
        percent(worst?.rate ?? Number.NaN),
        worst && worst.rate > 0 ? worst.name : '',
      ]
    }),
    notes: equal ? [`D-EER of the PAD signal over all presentation attacks: ${percent(equal.rate)} at ${equal.threshold.toFixed(3)}.`] : [],
  }
}

function scoreTable(groups: readonly Group[]): Table {
  return {
    title: 'Mean PAD score of a session',
    head: ['species', 'lowest', 'median', 'highest', 'sessions'],
    rows: groups.map((group) => {
      const own = group.trials.filter(({ way }) => group.manners.some((manner) => manner === way))
      const scores = own.flatMap(({ outcome }) => (outcome ? [meanScore(outcome) ?? []].flat() : [])).sort((a, b) => a - b)
      const at = (share: number) => (scores[Math.min(scores.length - 1, Math.floor(share * scores.length))] ?? Number.NaN).toFixed(3)
      return [group.name, at(0), at(0.5), at(1), String(scores.length)]
    }),
  }
}

function promised(
  attacks: readonly Group[],
  people: readonly Group[],
  misused: readonly { way: string; trials: readonly Trial[] }[],
): Figure[] {
  const figure = (what: string, rate: ReturnType<typeof attackError>, most: number): Figure => ({
    what,
    value: rate.share,
    target: { most },
    text: textOf(rate),
  })
  const presentations = attacks.filter(({ kind }) => kind === 'presentation')
  return [
    ...presentations.flatMap((group) =>
      group.manners.map((way) =>
        figure(
          `APCER by session, ${group.name}, ${SHOWN[way]}`,
          attackError(
            answers(
              group.trials.filter((trial) => trial.way === way),
              'live',
            ),
          ),
          MOST,
        ),
      ),
    ),
    ...people.map((group) =>
      figure(
        `BPCER by session, ${group.name}`,
        bonaFideError(
          answers(
            group.trials.filter(({ way }) => way === 'reacting'),
            'live',
          ),
        ),
        MOST,
      ),
    ),
    ...misused
      .filter(({ trials }) => trials.length > 0)
      .map(({ way, trials }) => figure(`accepted: ${way}`, attackError(answers(trials, 'live')), 0)),
  ]
}

function padChart(people: readonly number[], attacks: readonly number[]): Chart {
  const [own, other] = [histogramOf(people, 0, 1, 40), histogramOf(attacks, 0, 1, 40)]
  return {
    title: 'PAD score of a session: people and presentation attacks',
    x: { label: 'mean over the frontal frames', scale: 'linear', from: 0, to: 1 },
    y: {
      label: 'share of sessions',
      scale: 'linear',
      from: 0,
      to: Math.min(1, Math.max(...own.map(([, y]) => y), ...other.map(([, y]) => y)) * 1.1),
    },
    series: [
      { name: 'bona fide', points: own, filled: true },
      { name: 'presentation attacks', points: other, filled: true },
    ],
    marks: [{ x: PAD_LIMITS.minMean, label: 'limit' }],
  }
}
