/** A whole face check over a third-generation mobile link, in a real browser before a camera that reacts: from the button to the verdict. */

import type { Browser } from 'playwright-core'
import { findChromium, launchBrowser } from '../test/support/browser.ts'
import { type CameraSite, openCameraSite } from '../test/support/camera-site.ts'
import { atMost, median, type Result } from './result.ts'
import { pinLoad, useAllCores } from './rig/processes.ts'
import { openSlowLink, type SlowLink } from './rig/slow-link.ts'

export const name = 'liveness-link'
const LINK = { kbitPerSecond: 400, rttMs: 300 }
const MOST_SECONDS = 12
const MOST_KB = 600
const RUNS = 3

interface Check {
  readonly seconds: number
  readonly kilobytes: number
  readonly frames: number
  readonly passed: boolean
  readonly worth: string
}

export async function run(): Promise<readonly Result[]> {
  if (findChromium() === undefined) {
    process.stderr.write('  left out: there is no Chromium here\n')
    return []
  }
  useAllCores()
  const link = await openSlowLink(LINK)
  const site = await openCameraSite({ publicUrl: `http://127.0.0.1:${link.port}` })
  const browser = await launchBrowser()
  try {
    link.leadTo(site.port)
    const checks: Check[] = []
    for (let each = 0; each < RUNS; each++) checks.push(await checkOver(link, site, browser))
    const all = (pick: (check: Check) => number) => checks.map(pick)
    const nets = site.standard ? 'standard nets' : 'built-in nets'
    const worth = [...new Set(checks.map((check) => check.worth))].join(' and ')
    return [
      atMost(
        {
          bench: name,
          metric: `longest of ${RUNS} checks at 400 kbit/s and 300 ms, ${nets}`,
          value: Math.max(...all(({ seconds }) => seconds)),
          unit: 's',
        },
        MOST_SECONDS,
      ),
      atMost({ bench: name, metric: 'median of the same', value: median(all(({ seconds }) => seconds)), unit: 's' }),
      atMost(
        { bench: name, metric: 'bytes sent by the browser, most', value: Math.max(...all(({ kilobytes }) => kilobytes)), unit: 'KB' },
        MOST_KB,
      ),
      atMost({ bench: name, metric: 'frames, median', value: median(all(({ frames }) => frames)), unit: 'frames' }),
      atMost(
        {
          bench: name,
          metric: `checks not passed (class of the others: ${worth})`,
          value: checks.filter(({ passed }) => !passed).length,
          unit: 'checks',
        },
        0,
      ),
    ]
  } finally {
    await browser.close()
    await Promise.all([link.close(), site.close()])
    pinLoad()
  }
}

/** By the browser's own clock: from the press of the button to the answer that holds the verdict. */
async function checkOver(link: SlowLink, site: CameraSite, browser: Browser): Promise<Check> {
  const before = link.carried.up
  let judgedAt = Number.NaN
  let begunAt = Number.NaN
  const { passed, row, context } = await site.attempt(browser, 'reactive', {
    onOpen(page) {
      page.on('request', (request) => {
        if (request.url().endsWith('/rosto/sessao')) begunAt = performance.now()
      })
      page.on('requestfinished', (request) => {
        if (request.url().endsWith('/fim')) judgedAt = performance.now()
      })
    },
  })
  await context.close()
  return {
    seconds: (judgedAt - begunAt) / 1000,
    kilobytes: (link.carried.up - before) / 1000,
    frames: row?.frame_count ?? Number.NaN,
    passed,
    worth: row?.verdict?.class ?? 'none',
  }
}
