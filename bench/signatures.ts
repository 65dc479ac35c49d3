/** What the certificate authority costs, one thread, beside raw signing and hashing with node:crypto in the same run. */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PDFDocument } from '@cantoo/pdf-lib'
import { explicit, int, octets, oid, seq } from '../src/signatures/asn1/der.ts'
import { OID } from '../src/signatures/asn1/oids.ts'
import { newSerial, parseCertificate } from '../src/signatures/authority/certificate.ts'
import { issueCrl } from '../src/signatures/authority/crl.ts'
import { attribute, signCms } from '../src/signatures/cms/signed-data.ts'
import { answerOcsp, parseOcspRequest } from '../src/signatures/status/ocsp.ts'
import { pdf } from '../test/portal/support/signing.ts'
import { openPostgresTestDatabase } from '../test/support/database.ts'
import { openDocumentScene } from '../test/support/document-scene.ts'
import { openSignatureScene, type SignatureScene } from '../test/support/signature-scene.ts'
import { atMost, median, type Result } from './result.ts'

export const name = 'signatures'
const ROUNDS = 40
const PER_ROUND = 10
const AT = new Date('2026-11-28T12:00:00Z')

export async function run(): Promise<readonly Result[]> {
  const scene = await openSignatureScene()
  try {
    return [...(await parts(scene)), ...(await documents(scene)), ...(await batches())]
  } finally {
    await scene.close()
  }
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
  const cades = await timeOf(() => signCms({ messageDigest: digest(bytes), contentType: OID.data, certificates: seal.certificates, unsigned: async (value) => [attribute('1.2.840.113549.1.9.16.2.14', octets(digest(value)))] }, seal.signer))
  const signer = await signatures.authority.signerOf(authority.keyId)
  const revoked = Array.from({ length: 5000 }, () => ({ serial: newSerial(), at: AT, reason: 'keyCompromise' as const }))
  const crl = await timeOf(() => issueCrl({ number: 1, thisUpdate: AT, nextUpdate: AT, revoked, partition: 'http://ac.example/1.crl' }, { name: issuer.subject, signer }))
  return [
    told('raw P-256 signature', raw),
    told('OCSP answer, parsed and signed', ocsp, 0.3),
    told('OCSP answer with what the embedded database adds', answered),
    told('CAdES-B, P-256', cades, 0.6),
    told('time-stamp with its line in the audit record', stamp),
    told('list of a full part (5,000 revoked)', crl),
  ]
}

async function documents({ signatures }: SignatureScene): Promise<Result[]> {
  const seal = (pdf: Uint8Array) => signatures.seals.seal(pdf, { reason: 'Comprovante', at: AT })
  const small = await pdfOf(1, 0)
  const large = await pdfOf(200, 50_000)
  const smallMs = await timeOf(() => seal(small))
  for (let warm = 0; warm < 3; warm += 1) await seal(large)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const rounds: number[] = []
  for (let round = 0; round < 12; round += 1) {
    delay.enable()
    const start = performance.now()
    await seal(large)
    rounds.push(performance.now() - start)
    delay.disable()
  }
  return [
    told('PAdES B-T of a small PDF, with its lines in the audit record', smallMs),
    told(`PAdES B-T of ${(large.length / 1e6).toFixed(0)} MB and 200 pages`, median(rounds), 120),
    told('longest wait of the event loop beside it', delay.max / 1e6, 20),
  ]
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
    const times: { asked: number; signed: number }[] = []
    for (let round = 0; round < 4; round += 1) {
      const id = await scene.documents.drafts.create(person, Array.from({ length: 100 }, (_, index) => ({ name: `${index}.pdf`, bytes: small })))
      await scene.documents.drafts.send(person, id)
      const start = performance.now()
      const { attemptId, nonce } = await scene.documents.confirmations.begin(person, id)
      const asked = performance.now() - start
      const idToken = await scene.proof({ accountId: person.accountId, personId: '' }, nonce)
      const proven = performance.now()
      await scene.documents.confirmations.finish(person, attemptId, { idToken })
      times.push({ asked, signed: performance.now() - proven })
    }
    // The first starts threads.
    const warm = times.slice(1)
    return [
      told('100 documents: prepared before the proof', median(warm.map(({ asked }) => asked))),
      told('100 documents: signed, stamped, evidence, stored', median(warm.map(({ signed }) => signed))),
      told('100 documents in one confirmation, both together', median(warm.map(({ asked, signed }) => asked + signed)), 1500),
    ]
  } finally {
    await scene.close()
  }
}
