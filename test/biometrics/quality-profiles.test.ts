import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeQuality, qualityOf } from '../../src/biometrics/quality/judge.ts'
import type { FaceMeasures } from '../../src/biometrics/quality/measures.ts'
import type { Judged, QualityProfile } from '../../src/biometrics/quality/profiles.ts'
import { QUALITY_PROFILES, QUALITY_RULES } from '../../src/biometrics/quality/profiles.ts'
import { REASON_CODES } from '../../src/biometrics/reason.ts'
import { LOCALES } from '../../src/platform/http/locale.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { createSimulatedCamera } from '../support/reactive-camera/simulated-person.ts'

const GOOD: FaceMeasures = {
  headPoseYaw: -2,
  headPosePitch: 3,
  headPoseRoll: 1,
  interEyeDistance: 130,
  faceWidth: 260,
  faceShare: 0.45,
  headSize: 0.3,
  leftwardCrop: 2.2,
  rightwardCrop: 2.3,
  marginAbove: 1.4,
  marginBelow: 0.6,
  offCentre: 0.04,
  luminanceMean: 135,
  illuminationUniformity: 0.93,
  underExposure: 0.01,
  overExposure: 0,
  dynamicRange: 110,
  sharpness: 70,
  naturalColour: 0,
  eyesOcclusion: 0.05,
  mouthOcclusion: 0.06,
  faceOcclusion: 0.15,
  backgroundUniformity: 0.02,
  compressionArtifacts: 1.2,
}
const FILE = { jpegQuality: 90, detectorScore: 0.95 }

/** Measure, reason, and the limits of live guidance, capture point, document portrait and reference: `a..b`, `-` where it is not judged. */
const TABLE = `
facesPresent face/none|face/two-faces 1..1 1..1 1..1 1..1
faceWidth face/too-far 120.. - - 120..
interEyeDistance face/low-resolution - 90.. 60.. -
faceShare face/too-near ..0.75 ..0.7 - -
headSize face/too-far - 0.12.. 0.15.. -
leftwardCrop face/cropped - 1.3.. 1.1.. 0.9..
rightwardCrop face/cropped - 1.3.. 1.1.. 0.9..
marginAbove face/cropped - 0.9.. 0.7.. 0.5..
marginBelow face/cropped - 0.15.. 0.. 0..
offCentre face/off-centre ..0.3 ..0.2 ..0.3 -
luminanceMean face/too-dark|face/too-bright 45..225 70..200 60..210 45..225
underExposure face/too-dark - ..0.2 ..0.25 ..0.4
overExposure face/too-bright - ..0.05 ..0.1 ..0.2
illuminationUniformity face/uneven-light 0.4.. 0.6.. 0.5.. 0.4..
dynamicRange face/washed-out - 45.. 40.. 30..
naturalColour face/unnatural-colour - ..10 ..15 ..20
detectorScore face/covered 0.3.. 0.5.. 0.4.. 0.3..
faceOcclusion face/covered - ..0.5 ..0.55 ..0.6
mouthOcclusion face/mouth-covered ..0.3 ..0.22 ..0.24 ..0.24
eyesOcclusion face/eyes-hidden ..0.65 ..0.5 ..0.5 ..0.5
headPoseYaw face/look-ahead - ..8 ..10 ..12
headPosePitch face/look-ahead - ..20 ..25 -
headPoseRoll face/tilted ..30 ..8 ..10 ..20
sharpness face/hold-still 12.. 25.. - -
sharpness face/blurred - - 15.. 15..
compressionArtifacts face/compressed - ..2 ..2.3 ..2.5
jpegQuality face/compressed - 70.. 40.. 30..
backgroundUniformity face/background - ..0.3 ..0.25 -
`

test('the thresholds are these, and nobody moves one unseen', () => {
  const lines = QUALITY_RULES.map(({ measure, reason, limits }) => {
    const words = typeof reason === 'string' ? reason : `${reason.below}|${reason.above}`
    const cells = QUALITY_PROFILES.map((profile) => {
      const limit = limits[profile]
      return limit ? `${limit.least ?? ''}..${limit.most ?? ''}` : '-'
    })
    return [measure, words, ...cells].join(' ')
  })
  assert.equal(lines.join('\n'), TABLE.trim())
})

for (const profile of QUALITY_PROFILES) {
  test(`a good picture passes as ${profile}`, () => {
    const report = judgeQuality(profile, GOOD, FILE)
    assert.deepEqual([report.passed, report.reasons], [true, []])
    assert.ok(report.overall >= 50 && report.overall <= 100)
    assert.ok(report.items.every(({ score }) => score >= report.overall))
  })
}

for (const rule of QUALITY_RULES) {
  for (const profile of QUALITY_PROFILES) {
    const limit = rule.limits[profile]
    if (!limit || rule.measure === 'facesPresent') continue
    const bad = [
      ...(limit.least === undefined ? [] : [{ value: limit.least - 0.01, edge: limit.least, end: 'below' as const }]),
      ...(limit.most === undefined ? [] : [{ value: limit.most + 0.01, edge: limit.most, end: 'above' as const }]),
    ]
    for (const { value, edge, end } of bad) {
      test(`${profile}: ${rule.measure} just ${end} its limit says what to change, at the limit nothing`, () => {
        const reason = typeof rule.reason === 'string' ? rule.reason : rule.reason[end]
        const report = judge(profile, rule.measure, value)
        assert.deepEqual(report.reasons, [reason])
        assert.ok(!report.passed && report.overall < 50)
        assert.deepEqual(judge(profile, rule.measure, edge).reasons, [])
        if (rule.signed) assert.deepEqual(judge(profile, rule.measure, -value).reasons, [reason])
      })
    }
  }
}

function judge(profile: QualityProfile, measure: Judged, value: number) {
  const inFile = measure in FILE
  return judgeQuality(profile, inFile ? GOOD : { ...GOOD, [measure]: value }, inFile ? { ...FILE, [measure]: value } : FILE)
}

test('the worse a measure, the lower the score, down to nothing', () => {
  const scores = [135, 100, 80, 71, 60, 20].map((luminanceMean) => judgeQuality('capture-point', { ...GOOD, luminanceMean }, FILE).overall)
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  assert.equal(scores.at(-1), 8)
})

test('a measure that is no number does not pass', () => {
  const report = judgeQuality('reference', { ...GOOD, sharpness: Number.NaN }, FILE)
  assert.deepEqual([report.passed, report.overall < 50], [false, true])
})

test('no face hides everything else; two faces come before what is wrong with the first', () => {
  assert.deepEqual(judgeQuality('reference', undefined).reasons, ['face/none'])
  assert.equal(judgeQuality('reference', undefined).overall, 0)
  const two = judgeQuality('capture-point', { ...GOOD, luminanceMean: 20 }, { ...FILE, faces: 2 })
  assert.deepEqual(two.reasons, ['face/two-faces', 'face/too-dark'])
})

test('what is not known is not judged', () => {
  const { backgroundUniformity: _, ...tight } = GOOD
  assert.deepEqual(judgeQuality('document-portrait', tight).reasons, [])
  assert.ok(
    judgeQuality('document-portrait', tight).items.every(({ measure }) => measure !== 'jpegQuality' && measure !== 'backgroundUniformity'),
  )
})

test('a turned head is judged by size and light alone', () => {
  const side = { ...GOOD, headPoseYaw: 25, illuminationUniformity: 0.2, sharpness: 2, eyesOcclusion: 1, mouthOcclusion: 1 }
  assert.deepEqual(judgeQuality('live-guidance', side, { turned: true }).reasons, [])
  assert.deepEqual(judgeQuality('live-guidance', { ...side, luminanceMean: 20 }, { turned: true }).reasons, ['face/too-dark'])
})

test('an observation from before there were measures is judged by what it has', () => {
  const frame = createSimulatedCamera({ seed: 1 })({})
  const report = qualityOf('live-guidance', frame)
  assert.deepEqual(report.reasons, [])
  assert.ok(report.items.some(({ measure }) => measure === 'sharpness') && report.items.every(({ measure }) => measure !== 'eyesOcclusion'))
  const measured = { ...frame, faces: frame.faces.map((face) => ({ ...face, measures: { ...GOOD, eyesOcclusion: 0.9 } })) }
  assert.deepEqual(qualityOf('live-guidance', measured).reasons, ['face/eyes-hidden'])
})

test('every reason has words in three languages, each its own', () => {
  const messages = loadMessages({ folder: new URL('../../views/messages', import.meta.url).pathname, strict: true })
  for (const locale of LOCALES) {
    const texts = REASON_CODES.map((code) => messages.text(locale, code))
    assert.equal(new Set(texts).size, REASON_CODES.length)
    assert.ok(texts.every((text) => text.length > 15 && text.endsWith('.')))
  }
})

test('every reason that a rule gives is a reason that pages know, obstacles first', () => {
  const given = QUALITY_RULES.flatMap(({ reason }) => (typeof reason === 'string' ? [reason] : [reason.below, reason.above]))
  assert.deepEqual(
    given.filter((code) => !REASON_CODES.includes(code)),
    [],
  )
  const at = (code: (typeof REASON_CODES)[number]) => REASON_CODES.indexOf(code)
  assert.ok(at('face/none') < at('face/two-faces') && at('face/two-faces') < at('face/too-dark'))
  assert.ok(at('face/mouth-covered') < at('face/eyes-hidden') && at('face/blurred') < at('face/background'))
})
