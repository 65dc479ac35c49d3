import path from 'node:path'
import { ConfigError } from '../platform/config.ts'
import type { Calibration } from './calibration.ts'
import { CalibrationError, findCalibration, OWN_CALIBRATION } from './calibration.ts'
import { BUILTIN_DIMENSION, BUILTIN_MODEL_ID } from './engine/builtin-set.ts'
import { PAD_NETS } from './engine/standard/pad-nets.ts'
import { recogniserContract } from './engine/standard/recogniser.ts'
import { findFetchedNet } from './nets/installation.ts'
import type { FetchedNetName } from './nets/manifest.ts'
import { ManifestError, readNetsOf } from './nets/manifest.ts'
import { ModelChecksumError } from './onnx/model-files.ts'

/** The nets that look at faces here: named in every observation and decision, and on the health page. */
export interface FaceModels {
  readonly set: 'standard' | 'builtin'
  /** Templates of one id are comparable, and with no other. */
  readonly setId: string
  /** The net that makes descriptors, and how many numbers they have. */
  readonly recogniser: string
  readonly dimension: number
  /** Whether presentation-attack nets look at the frames of a liveness check. */
  readonly pad: boolean
}

export interface FaceModelChoice {
  readonly models: FaceModels
  /** Where the same person ends for them. */
  readonly rule: Calibration
  /** For the operator: what is missing, and what it costs. */
  readonly warning?: string
}

export const BUILTIN_MODELS: FaceModels = {
  set: 'builtin',
  setId: BUILTIN_MODEL_ID,
  recogniser: 'descriptor-128',
  dimension: BUILTIN_DIMENSION,
  pad: false,
}

const REMEDY = 'run "npm run models"'

export interface FaceModelWish {
  readonly set: 'auto' | 'standard' | 'builtin'
  /** Model id of a recogniser, the operator's own included; naming one forbids the built-in nets. */
  readonly recogniser?: string | undefined
}

/**
 * The set of nets to start with and its calibration: what was asked for, or under `auto` the best that is installed whole.
 *
 * A file with another checksum than the manifest's counts as missing and is named.
 * @throws {ConfigError} When what was asked for by name is missing, or a manifest or calibration of the operator's is faulty.
 */
export async function chooseFaceModels(wish: FaceModelWish | FaceModelWish['set'], modelsDir: string): Promise<FaceModelChoice> {
  const { set, recogniser } = typeof wish === 'string' ? { set: wish } : wish
  if (set === 'builtin' && recogniser !== undefined) throw new ConfigError([`FACE_RECOGNISER: ${recogniser}, but FACE_MODELS says builtin`])
  try {
    const { models, warning } = set === 'builtin' ? { models: BUILTIN_MODELS } : await chooseStandard({ set, recogniser }, modelsDir)
    const rule = await findCalibration(models.setId, modelsDir)
    return { models, rule, ...(warning !== undefined && { warning }) }
  } catch (error) {
    if (error instanceof CalibrationError) throw new ConfigError([`${error.message}: ${calibrationRemedy(modelsDir)}`])
    if (error instanceof ManifestError) throw new ConfigError([error.message])
    throw error
  }
}

function calibrationRemedy(modelsDir: string): string {
  return `run "npm run calibrate -- --data DIR" and put its entry into ${path.join(modelsDir, OWN_CALIBRATION)}`
}

async function chooseStandard({ set, recogniser: named }: FaceModelWish, modelsDir: string): Promise<Omit<FaceModelChoice, 'rule'>> {
  const contract = recogniserContract(await readNetsOf(modelsDir), named)
  const { modelId: setId, net: recogniser, dimension, metric } = contract
  const faults = await faultsOf(['yunet', recogniser], modelsDir)
  const padFaults = await faultsOf(
    PAD_NETS.map(({ name }) => name),
    modelsDir,
  )
  const all = [...faults, ...padFaults]
  if (set === 'standard' && all.length > 0) throw new ConfigError([`FACE_MODELS: standard, but ${all.join('; ')}: ${REMEDY}`])
  if (faults.length > 0 && named !== undefined) throw new ConfigError([`FACE_RECOGNISER: ${named}, but ${faults.join('; ')}: ${REMEDY}`])
  if (faults.length > 0) {
    return { models: BUILTIN_MODELS, warning: `face: the built-in nets are in use, because ${faults.join('; ')}: ${REMEDY}` }
  }
  const calibrated = await findCalibration(setId, modelsDir)
  if (calibrated.metric !== metric)
    throw new CalibrationError(`the face model ${setId} compares by ${metric}, its calibration by ${calibrated.metric}`)
  const pad = padFaults.length === 0
  const models: FaceModels = { set: 'standard', setId, recogniser, dimension, pad }
  return pad ? { models } : { models, warning: `face: no presentation-attack nets, because ${padFaults.join('; ')}: ${REMEDY}` }
}

async function faultsOf(names: readonly FetchedNetName[], modelsDir: string): Promise<string[]> {
  const faults: string[] = []
  for (const name of names) {
    try {
      if (!(await findFetchedNet(name, modelsDir))) faults.push(`${name} is not installed`)
    } catch (error) {
      if (!(error instanceof ModelChecksumError)) throw error
      faults.push(error.message)
    }
  }
  return faults
}

/** One line on what is in use and what it is worth. */
export function describeFaceModels({ set, setId, recogniser, pad }: FaceModels): string {
  const nets = set === 'standard' ? `standard nets (${setId}, ${recogniser})` : `the built-in nets are in use (${setId})`
  const worth = pad ? 'with presentation-attack nets; liveness class up to active' : 'no presentation-attack nets; liveness class basic'
  return `face: ${nets}, ${worth}, not certified ISO/IEC 30107-3`
}
