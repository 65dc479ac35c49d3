/** What the certificate authority costs, one thread, beside raw signing and hashing with node:crypto in the same run. */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PDFDocument } from '@cantoo/pdf-lib'
import { explicit, int, octets, oid, seq } from '../src/signatures/asn1/der.ts'
import { OID } from '../src/signatures/asn1/oids.ts'
import { newSerial, parseCertificate } from '../src/signatures/authority/certificate.ts'
import { issueCrl } from '../src/signatures/authority/crl.ts'
import { createCrlThread } from '../src/signatures/status/crl-thread.ts'
import { attribute, signCms } from '../src/signatures/cms/signed-data.ts'
import { embed } from '../src/signatures/pdf/place.ts'
import { preparePdf } from '../src/signatures/pdf/prepare.ts'
import { answerOcsp, parseOcspRequest } from '../src/signatures/status/ocsp.ts'
import { issueStamp } from '../src/signatures/timestamp/time-stamp.ts'
import { pdf } from '../test/portal/support/signing.ts'
import { createPostgresDatabase, openPostgresTestDatabase } from '../test/support/database.ts'
import { openDocumentScene } from '../test/support/document-scene.ts'
import { openSignatureScene, type SignatureScene } from '../test/support/signature-scene.ts'
import { digestOf, ES_256, openCscScene } from '../test/support/csc-scene.ts'
import { createCaller } from './rig/large-call.ts'
import { atMost, median, type Result } from './result.ts'

export const name = 'signatures'
const ROUNDS = 40
const PER_ROUND = 10
const AT = new Date('2026-11-28T12:00:00Z')

export async function run(): Promise<readonly Result[]> {
  const scene = await openSignatureScene()
  try {
    return [...(await parts(scene)), ...(await documents(scene)), ...(await batches()), ...(await calls())]
  } finally {
    await scene.close()
  }
}

/** What the whole process computed, its threads too: what a busy machine does not lengthen as it does the clock. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** CPU of one, over as many. */
async function cpuOf(times: number, work: () => Promise<unknown>): Promise<number> {
  const start = cpuMs()
  for (let i = 0; i < times; i += 1) await work()
  return (cpuMs() - start) / times
}

/** Milliseconds of one, the middle of many rounds. */
async function timeOf(work: () => unknown): Promise<number> {
  for (let warm = 0; warm < 20; warm += 1) await work()
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now()
    for (let i = 0; i < PER_ROUND; i += 1) await work()
    rounds.push((performance.now() - start) / PER_ROUND)
  }
  return median(rounds)
}

const told = (metric: string, value: number, most?: number): Result => atMost({ bench: name, metric, value, unit: 'ms' }, most)

/** As `told`, with how often raw signing (and hashing) would have fitted into it. */
const beside = (raw: number, metric: string, value: number, most?: number): Result => ({ ...told(metric, value, most), reference: raw, ratio: value / raw })

async function parts({ signatures }: SignatureScene): Promise<Result[]> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const bytes = Buffer.alloc(300, 1)
  const raw = await timeOf(() => sign('sha256', bytes, key))

  const authority = await signatures.authority.active()
  const issuer = parseCertificate(authority.certificate)
  const digest = (value: Buffer) => createHash('sha256').update(value).digest()
  const { serial } = await signatures.authority.service('seal')
  const keyBits = issuer.spki.subarray(issuer.spki.length - 97)
  const certId = seq(seq(oid(OID.sha256)), octets(digest(issuer.subject)), octets(digest(keyBits)), int(Buffer.from(serial, 'hex')))
  const request = seq(seq(seq(seq(certId)), explicit(2, seq(seq(oid(OID.ocspNonce), octets(octets(Buffer.alloc(16, 3))))))))
  const responder = await signatures.authority.service('ocsp')
  const ocsp = await timeOf(() => {
    const { ids, nonce } = parseOcspRequest(request)
    return answerOcsp({ statuses: ids.map((id) => ({ id, status: { kind: 'good' } })), nonce, thisUpdate: AT, nextUpdate: AT }, { signer: responder.signer, certificate: responder.certificates[0] })
  })
  const answered = await timeOf(() => signatures.statuses.ocsp(request))
  const stamp = await timeOf(() => signatures.stamping.stamp(digest(bytes)))
  const seal = await signatures.authority.service('seal')
  const tsa = await signatures.authority.service('tsa')
  const cades = await timeOf(() => signCms(
    {
      messageDigest: digest(bytes), contentType: OID.data, certificates: seal.certificates, signingTime: AT,
      unsigned: async (value) => [attribute(OID.signatureTimeStamp, (await issueStamp({ imprint: digest(value), digest: 'sha256', nonce: undefined, wantsCertificates: true }, AT, tsa)).token)],
    },
    seal.signer,
  ))
  const signer = await signatures.authority.signerOf(authority.keyId)
  const revoked = Array.from({ length: 5000 }, () => ({ serial: newSerial(), at: AT, reason: 'keyCompromise' as const }))
  const crl = await timeOf(() => issueCrl({ number: 1, thisUpdate: AT, nextUpdate: AT, revoked, partition: 'http://ac.example/1.crl' }, { name: issuer.subject, signer }))
  return [
    told('raw P-256 signature', raw),
    beside(raw, 'OCSP answer, parsed and signed', ocsp, 0.3),
    told('OCSP answer with what the embedded database adds', answered),
    beside(raw, 'CAdES-T, P-256, time-stamp made in the process', cades, 0.6),
    told('time-stamp with its line in the audit record', stamp),
    told('list of a full part (5,000 revoked)', crl),
  ]
}

async function documents({ signatures }: SignatureScene): Promise<Result[]> {
  const seal = (pdf: Uint8Array) => signatures.seals.seal(pdf, { reason: 'Comprovante', at: AT })
  const key = createPrivateKey(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const small = await pdfOf(1, 0)
  const smallRaw = await timeOf(() => sign('sha256', small, key))
  const bare = await bareSignature(signatures, small)
  const pades = await timeOf(bare)
  const padesCpu = await cpuOf(ROUNDS * PER_ROUND, bare)
  const large = await pdfOf(200, 50_000)
  const smallMs = await timeOf(() => seal(small))
  for (let warm = 0; warm < 3; warm += 1) await seal(large)
  const largeCpu = await cpuOf(6, () => seal(large))
  const { rounds, longestTurn, longestWait } = await watched(12, () => seal(large))
  const largeRaw = await timeOf(() => sign('sha256', large, key))
  return [
    beside(smallRaw, 'PAdES B-T of a small PDF, one thread', pades, 2.5),
    told('the same, CPU', padesCpu),
    beside(smallRaw, 'PAdES B-T of a small PDF, with its lines in the audit record', smallMs),
    beside(largeRaw, `PAdES B-T of ${(large.length / 1e6).toFixed(0)} MB and 200 pages, in a worker`, median(rounds), 120),
    told('the same, CPU of all threads', largeCpu),
    told('longest turn of the event loop beside it, by its own CPU time', longestTurn, 20),
    told('the same by the clock, whatever else the machine does', longestWait),
    ...(await longList(signatures)),
  ]
}

/** What the event loop does between two turns: by the CPU of its own thread, which a busy machine does not lengthen, and by the clock. */
async function watched(times: number, work: () => Promise<unknown>) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const rounds: number[] = []
  const cpu = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let [longestTurn, last, isOn] = [0, cpu(), true]
  const turn = () => {
    const now = cpu()
    longestTurn = Math.max(longestTurn, now - last)
    last = now
    if (isOn) setImmediate(turn)
  }
  setImmediate(turn)
  delay.enable()
  for (let round = 0; round < times; round += 1) {
    const start = performance.now()
    await work()
    rounds.push(performance.now() - start)
  }
  delay.disable()
  isOn = false
  return { rounds, longestTurn, longestWait: delay.max / 1e6 }
}

/** Preparing, signing, stamping and embedding without the thread, the database and the record. */
async function bareSignature({ authority }: SignatureScene['signatures'], pdf: Uint8Array): Promise<() => Promise<unknown>> {
  const [seal, tsa] = [await authority.service('seal'), await authority.service('tsa')]
  const digest = (value: Uint8Array) => createHash('sha256').update(value).digest()
  return async () => {
    const prepared = await preparePdf(pdf, { reason: 'Comprovante', name: 'MT Login', at: AT })
    const unsigned = async (value: Buffer) => [attribute(OID.signatureTimeStamp, (await issueStamp({ imprint: digest(value), digest: 'sha256', nonce: undefined, wantsCertificates: true }, AT, tsa)).token)]
    embed(prepared, await signCms({ messageDigest: Buffer.from(prepared.digest), contentType: OID.data, certificates: seal.certificates, unsigned }, seal.signer))
  }
}

/** A hundred thousand revoked certificates in one list, twenty times as many as a part holds. */
async function longList({ authority }: SignatureScene['signatures']): Promise<Result[]> {
  const { certificate, keyId } = await authority.active()
  const issuer = { name: parseCertificate(certificate).subject, signer: await authority.signerOf(keyId) }
  const revoked = Array.from({ length: 100_000 }, () => ({ serial: newSerial(), at: AT, reason: 'keyCompromise' as const }))
  const lists = createCrlThread()
  try {
    const issue = () => lists.issue({ number: 1, thisUpdate: AT, nextUpdate: AT, revoked, partition: 'http://ac.example/1.crl' }, issuer)
    await issue()
    const { rounds, longestTurn, longestWait } = await watched(5, issue)
    return [
      told('list of 100,000 revoked, in a worker', median(rounds)),
      told('longest turn of the event loop beside it, by its own CPU time (list)', longestTurn, 20),
      told('the same by the clock (list)', longestWait),
    ]
  } finally {
    await lists.close()
  }
}

/** Pages with pictures of noise, which does not compress. */
async function pdfOf(pages: number, noise: number): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  for (let page = 0; page < pages; page += 1) {
    pdf.addPage([300, 300]).drawText(`folha ${page}`)
    if (noise > 0) pdf.context.register(pdf.context.stream(randomBytes(noise)))
  }
  return pdf.save()
}

/** A hundred small documents (PAdES B-LT, stamp and QR, stored sealed on PostgreSQL) from the citizen's proof to the files that they download. */
async function batches(): Promise<Result[]> {
  const scene = await openDocumentScene({ open: openPostgresTestDatabase })
  try {
    const person = await scene.person()
    const small = await pdf('Ofício')
    const times: { asked: number; signed: number; cpu: number }[] = []
    for (let round = 0; round < 4; round += 1) {
      const id = await scene.documents.drafts.create(person, Array.from({ length: 100 }, (_, index) => ({ name: `${index}.pdf`, bytes: small })))
      await scene.documents.drafts.send(person, id)
      const cpu = cpuMs()
      const start = performance.now()
      const { attemptId, nonce } = await scene.documents.confirmations.begin(person, id)
      const asked = performance.now() - start
      const idToken = await scene.proof({ accountId: person.accountId, personId: '' }, nonce)
      const proven = performance.now()
      await scene.documents.confirmations.finish(person, attemptId, { idToken })
      times.push({ asked, signed: performance.now() - proven, cpu: cpuMs() - cpu })
    }
    // The first starts threads.
    const warm = times.slice(1)
    return [
      told('100 documents: prepared before the proof', median(warm.map(({ asked }) => asked))),
      told('100 documents: signed, stamped, evidence, stored', median(warm.map(({ signed }) => signed))),
      told('100 documents in one confirmation, both together', median(warm.map(({ asked, signed }) => asked + signed)), 1500),
      told('the same, CPU of all threads, the database apart', median(warm.map(({ cpu }) => cpu))),
    ]
  } finally {
    await scene.close()
  }
}

const CALLS = [
  ['PAdES B-LT', { signature_format: 'P', conformance_level: 'Ades-B-LT' }],
  ['CAdES B-T, attached', { signature_format: 'C', conformance_level: 'Ades-B-T' }],
] as const

/** Ten megabytes through the CSC API, in base64 in and out; the caller has a thread of its own. */
async function calls(): Promise<Result[]> {
  const results: Result[] = []
  for (const [label, form] of CALLS) results.push(...(await callsOf(label, form)))
  return results
}

async function callsOf(label: string, form: object): Promise<Result[]> {
  // What the embedded database computes on this very thread is not the signature's.
  const database = await createPostgresDatabase()
  const [scene, caller] = [await openCscScene({ DATABASE_URL: database.url.reveal() }), createCaller()]
  try {
    const document = await pdfOf(200, 50_000)
    const text = JSON.stringify({ credentialID: scene.credentialID, documents: [{ document: Buffer.from(document).toString('base64'), signAlgo: ES_256, ...form }] })
    const asked: { token: string; body: Uint8Array<ArrayBuffer> }[] = []
    // Each proof moves the scene's clock, which may not run far ahead.
    for (let round = 0; round < 5; round += 1) asked.push({ token: await scene.sad({ hash: digestOf(document), label: 'grande.pdf' }), body: new Uint8Array(Buffer.from(text)) })
    const call = async () => {
      const next = asked.pop()
      if (next) await caller.call({ url: `${scene.base}/signatures/signDoc`, ...next })
    }
    // The first starts threads.
    await call()
    const { rounds, longestTurn, longestWait } = await watched(asked.length, call)
    return [
      told(`signDoc of ${(document.length / 1e6).toFixed(0)} MB by the CSC API, ${label}`, median(rounds)),
      told(`longest turn of the event loop beside it, by its own CPU time (${label})`, longestTurn, 20),
      told(`the same by the clock (${label})`, longestWait),
    ]
  } finally {
    await caller.close()
    await scene.area.close()
    await database.drop()
  }
}
