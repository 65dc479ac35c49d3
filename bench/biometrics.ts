/**
 * Evaluates the biometrics on pictures that may not be distributed: `npm run bench:biometrics -- --data DIR`.
 *
 * DIR holds `NAME-pairs.tsv` (columns a, b, same) with the pictures in `NAME/`, named `Person_0001.jpg`, and `pad-…/<species>/` with `bonafide`
 * among them; either may be missing. No picture and no template is written anywhere, unless `--cache` names a scratch folder for templates.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import * as runtime from 'onnxruntime-node'
import { calibrationOf } from '../src/biometrics/calibration.ts'
import { createFaceEngine, type FaceEngine } from '../src/biometrics/engine/engine.ts'
import { chooseFaceModels } from '../src/biometrics/model-choice.ts'
import { openPgliteTestDatabase } from '../test/support/database.ts'
import { identificationSection, rollSection, templateSection } from './evaluation/conditions.ts'
import { enrol } from './evaluation/enrolment.ts'
import { latencySection } from './evaluation/latency.ts'
import { runCampaign } from './evaluation/pad/campaign.ts'
import { padSection } from './evaluation/pad/section.ts'
import { createStage } from './evaluation/pad/sessions.ts'
import { readSpecies } from './evaluation/pad/species.ts'
import { readPhotographs } from './evaluation/photographs.ts'
import { recognition } from './evaluation/recognition.ts'
import { markdownOf, type Section, writeReport } from './evaluation/report.ts'

const HELP = `Usage: npm run bench:biometrics -- --data DIR [options]
  --data    folder with NAME-pairs.tsv and pictures in NAME/, and with pad-…/<species>/ (bonafide among them)
  --set     standard | builtin (default: standard when it is installed)
  --models  where the nets are kept (default .data/models)
  --out     where Markdown, JSON and SVG are written (default .data/bench/biometrics)
  --only    recognition | pad: a part of it
  --cache   scratch folder outside the project: keeps templates and outcomes between runs
`
const ROLL_DEGREES = 30

interface Settings {
  readonly data: string
  readonly set: 'standard' | 'builtin'
  readonly models: string
  readonly out: string
  readonly only: string | undefined
  readonly cache: string | undefined
}

async function settings(): Promise<Settings | undefined> {
  const text = { type: 'string' } as const
  const options = {
    data: text,
    set: text,
    models: { ...text, default: '.data/models' },
    out: { ...text, default: '.data/bench/biometrics' },
    only: text,
    cache: text,
  }
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } })
  const { data, models, out, only, cache } = values
  if (values.help || data === undefined) return undefined
  if (!existsSync(data)) throw new Error(`${data} is not there`)
  const project = path.resolve(import.meta.dirname, '..')
  if (cache && `${path.resolve(cache)}${path.sep}`.startsWith(project + path.sep))
    throw new Error('--cache must be outside the project: it holds biometric templates')
  const set = values.set === 'standard' || values.set === 'builtin' ? values.set : (await chooseFaceModels('auto', models)).models.set
  return { data, set, models, out, only, cache }
}

const tell = (text: string) => process.stderr.write(`${text}\n`)
const every = (step: number, what: string) => (done: number, of: number) => {
  if (done % step === 0 || done === of) tell(`${what}: ${done} of ${of}`)
}

async function recognitionSections(engine: FaceEngine, { data, set, cache }: Settings): Promise<Section[]> {
  const photographs = readPhotographs(data)
  if (!photographs) return []
  const calibration = calibrationOf(engine.modelId)
  const enrolment = await enrol(engine, photographs, { cache, onProgress: every(500, 'pictures') })
  const files = [...new Set(photographs.pairs.filter(({ same }) => same).map(({ right }) => right))].sort()
  const turned = await enrol(engine, photographs, { cache, rollDegrees: ROLL_DEGREES, files, onProgress: every(500, 'turned pictures') })
  tell('comparing')
  return [
    recognition({ set, calibration, photographs, enrolment }),
    templateSection(calibration, enrolment.enrolled),
    identificationSection(calibration, enrolment.enrolled),
    rollSection(calibration, photographs.pairs, enrolment, turned),
    await latencySection(engine, photographs),
  ]
}

async function padSections(engine: FaceEngine, { data, cache }: Settings): Promise<Section[]> {
  const found = readSpecies(data)
  if (!found) return []
  const db = await openPgliteTestDatabase()
  try {
    const stage = createStage({ db, engine, calibration: calibrationOf(engine.modelId) })
    const onProgress = ({ species, file, way, outcome }: Parameters<NonNullable<Parameters<typeof runCampaign>[0]['onProgress']>>[0]) =>
      tell(`${species}, ${path.basename(file)}, ${way}: ${outcome?.live ? 'taken for a person' : 'refused'}`)
    return [padSection(found.species, await runCampaign({ ...found, engine, stage, cache, onProgress }), engine.pad)]
  } finally {
    await db.close()
  }
}

async function main(): Promise<number> {
  const chosen = await settings()
  if (!chosen) {
    process.stdout.write(HELP)
    return process.argv.includes('--help') || process.argv.includes('-h') ? 0 : 2
  }
  const { set, models, only } = chosen
  const pad = set === 'standard' && (await chooseFaceModels('auto', models)).models.pad
  const engine = await createFaceEngine({ runtime, modelsDir: models, set, pad })
  const sections = [
    ...(only === 'pad' ? [] : await recognitionSections(engine, chosen)),
    ...(only === 'recognition' ? [] : await padSections(engine, chosen)),
  ]
  await engine.close()
  if (sections.length === 0) throw new Error(`${chosen.data} has neither NAME-pairs.tsv nor pad-…/bonafide/`)
  const report = { modelId: engine.modelId, set, madeAt: new Date().toISOString(), sections }
  process.stdout.write(markdownOf(report))
  for (const file of writeReport(report, chosen.out)) tell(`written: ${file}`)
  return 0
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  })
}
