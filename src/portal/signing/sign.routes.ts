import Router from '@koa/router'
import { z } from 'zod'
import { isLevelAtLeast } from '../../assurance/index.ts'
import { type FieldErrors, guard, type InvalidForm } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type Credential, type InNameOf, shownAs, shownParty, SIGNATURE_PROBLEMS, type SigningChoice, signerOf } from '../../signatures/index.ts'
import { PROOF_KINDS } from '../entrance.routes.ts'
import { tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { envelopeCard } from './cards.ts'
import { PAGE, personOf, type Refusal, refusalOf, type SigningDesk, showIn } from './desk.ts'

const params = z.object({ id: z.uuid() })
type Params = z.output<typeof params>
/** An empty field says nothing, not zero. */
const typedNumber = (schema: z.ZodType<number>) => z.preprocess((text) => (text === '' || text === undefined ? undefined : Number(text)), schema.optional()).catch(undefined)
const share = typedNumber(z.number().min(0).max(1))
const choosing = z.object({
  /** Which of the powers that were offered, or oneself. */
  como: z.string().max(300).default(''),
  /** A certificate that they keep, or one for this signature alone. */
  certificado: z.union([z.literal(''), z.uuid()]).default(''),
  carimbo: z.enum(['sim', 'nao']),
  folha: z.union([z.literal('first'), z.literal('last'), z.literal('page')]).default('last'),
  numero: typedNumber(z.int().min(1).max(2000)),
  lugar: z.string().regex(/^(0|0\.5|1) (0|0\.5|1)$/).default('1 1'),
  /** Where a pointer dragged it; stands above the nine places. */
  x: share,
  y: share,
})
/** `visto` stands for what the page showed. */
const proving = z.object({ prova: z.enum(PROOF_KINDS), visto: z.string().max(60).default('') })
const attempting = params.extend({ attempt: z.uuid() })
type Attempting = z.output<typeof attempting>
const unlocking = z.object({ senha: z.string().min(1, 'platform.field.required').max(1024) })

/** The steps of a signature: see and choose, confirm, prove who you are, done. */
export function createSignRoutes(desk: SigningDesk): Router {
  const { pages, signing } = desk
  const router = new Router()

  const choose = pages.signedIn((ctx, visit, { params: { id } }: { params: Params }) => showChoice(desk, ctx, visit, id))
  const chosen = pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: Params; body: z.output<typeof choosing> }) => {
    const refusal = await refusalOf(async () => signing.confirmations.choose(personOf(visit), id, await choiceOf(desk, visit, body)))
    if (refusal === undefined) return seeOther(ctx, `${PAGE}/${id}/confirmar`)
    ctx.status = 422
    await showChoice(desk, ctx, visit, id, refusal)
  })

  const confirm = pages.signedIn((ctx, visit, { params: { id } }: { params: Params }) => showConfirmation(desk, ctx, visit, id))
  const confirmed = pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: Params; body: z.output<typeof proving> }) => {
    const refusal = await refusalOf(async () => {
      const { attemptId, nonce } = await signing.confirmations.begin(personOf(visit), id, body.visto)
      await desk.prove(ctx, { proof: body.prova, nonce, returnTo: `${PAGE}/${id}/assinando/${attemptId}` })
    })
    if (refusal === undefined) return
    ctx.status = 422
    await showConfirmation(desk, ctx, visit, id, refusal)
  })

  // Reached from the proof alone: without an id_token whose nonce names this very attempt nothing happens here.
  const finish = pages.signedIn((ctx, visit, { params: at }: { params: Attempting }) => finishAttempt(desk, ctx, visit, at))
  const unlock = pages.signedIn((ctx, visit, { params: at, body }: { params: Attempting; body: z.output<typeof unlocking> }) => finishAttempt(desk, ctx, visit, { ...at, password: body.senha }))
  const again = pages.signedIn((ctx, visit, { params: at, errors }: InvalidForm<Attempting, undefined>) => showPassword(desk, ctx, visit, at, errors))

  router.get(`${PAGE}/:id/assinar`, guard({ params }, choose))
  router.post(`${PAGE}/:id/assinar`, guard({ params, body: choosing }, chosen))
  router.get(`${PAGE}/:id/confirmar`, guard({ params }, confirm))
  router.post(`${PAGE}/:id/confirmar`, guard({ params, body: proving }, confirmed))
  router.get(`${PAGE}/:id/assinando/:attempt`, guard({ params: attempting }, finish))
  router.post(`${PAGE}/:id/assinando/:attempt`, guard({ params: attempting, body: unlocking, onInvalid: again }, unlock))
  return router
}

async function finishAttempt(desk: SigningDesk, ctx: HttpContext, visit: Visit, { id, attempt, password }: Attempting & { readonly password?: string }): Promise<void> {
  let hasTime = true
  const refusal = await refusalOf(async () => {
    hasTime = (await desk.signing.confirmations.finish(personOf(visit), attempt, { idToken: visit.idToken, password })).hasTime
  })
  if (refusal === undefined) return seeOther(ctx, tell(`${PAGE}/${id}`, hasTime ? 'document-signed' : 'document-signed-time-later'))
  if (refusal.code === SIGNATURE_PROBLEMS.wrongSigningPassword.code) {
    return showPassword(desk, ctx, visit, { id, attempt }, refusal.detail === 'missing' ? undefined : { senha: 'assinaturas.field.wrong-password' })
  }
  // A reload of what is done.
  if (await isSigned(desk, visit, id)) return seeOther(ctx, `${PAGE}/${id}`)
  ctx.status = 422
  await showConfirmation(desk, ctx, visit, id, refusal)
}

/** The last step with a certificate that they keep; what is typed goes to the thread of the keys, and nowhere else. */
async function showPassword(desk: SigningDesk, ctx: HttpContext, visit: Visit, { id, attempt }: Attempting, errors?: FieldErrors): Promise<void> {
  const by = personOf(visit)
  const envelope = envelopeCard(await desk.signing.envelopes.get(by, id), by)
  if (errors) ctx.status = 422
  showIn(desk, ctx, visit, { view: 'signing/password', data: { envelope, back: `${PAGE}/${id}/assinar`, action: `${PAGE}/${id}/assinando/${attempt}`, ...(errors && { errors }) } })
}

async function isSigned({ signing }: SigningDesk, visit: Visit, id: string): Promise<boolean> {
  const by = personOf(visit)
  return signerOf(await signing.envelopes.get(by, id), by)?.state === 'signed'
}

async function showChoice(desk: SigningDesk, ctx: HttpContext, visit: Visit, id: string, refusal?: Refusal): Promise<void> {
  const { signing, about } = desk
  const by = personOf(visit)
  const envelope = await signing.envelopes.get(by, id)
  const missing = await refusalOf(async () => void (await signing.confirmations.choiceOf(by, id)))
  if (missing) return seeOther(ctx, `${PAGE}/${id}`)
  const choice = await signing.confirmations.choiceOf(by, id)
  const powers = await signing.powers.list(by)
  showIn(desk, ctx, visit, {
    view: 'signing/choose',
    data: {
      envelope: envelopeCard(envelope, by), refusal, choice, back: `${PAGE}/${id}`,
      powers: powers.map((power) => ({ value: keyOfPower(power), ...shownParty(power), isChosen: choice.as !== undefined && keyOfPower(power) === keyOfPower(choice.as) })),
      certificates: (await signing.confirmations.certificates(by)).map((one) => ({ ...certificateOf(one), isChosen: one.id === choice.credentialId })),
      hasPdf: envelope.documents.some(({ form }) => form === 'pdf'),
      maySign: isLevelAtLeast(await about.levelOf(by.accountId), 'prata'),
    },
  })
}

async function showConfirmation(desk: SigningDesk, ctx: HttpContext, visit: Visit, id: string, refusal?: Refusal): Promise<void> {
  const { signing, about } = desk
  const by = personOf(visit)
  const envelope = await signing.envelopes.get(by, id)
  const missing = await refusalOf(async () => void (await signing.confirmations.choiceOf(by, id)))
  if (missing) return seeOther(ctx, `${PAGE}/${id}`)
  const choice = await signing.confirmations.choiceOf(by, id)
  const certificate = choice.credentialId === undefined ? undefined : (await signing.confirmations.certificates(by)).find(({ id: one }) => one === choice.credentialId)
  const power = choice.as && (await signing.powers.list(by)).find((one) => choice.as && keyOfPower(one) === keyOfPower(choice.as))
  showIn(desk, ctx, visit, {
    view: 'signing/confirm',
    data: {
      envelope: envelopeCard(envelope, by), choice, shown: shownAs(envelope, choice), refusal, back: `${PAGE}/${id}/assinar`, name: by.name, represented: power && shownParty(power),
      certificate: certificate && certificateOf(certificate),
      level: envelope.level, hasPdf: envelope.documents.some(({ form }) => form === 'pdf'), maySign: isLevelAtLeast(await about.levelOf(by.accountId), 'prata'), heldUntil: visit.heldUntil,
    },
  })
}

const certificateOf = ({ id, profile, serial, notAfter }: Credential) => ({ id, profile, serial: serial.toUpperCase(), until: notAfter })
const keyOfPower = ({ mandateId, party, power }: InNameOf): string => `${mandateId}|${party}|${power}`

async function choiceOf({ signing }: SigningDesk, visit: Visit, { como, certificado, carimbo, folha, numero, lugar, x, y }: z.output<typeof choosing>): Promise<SigningChoice> {
  const power = como === '' ? undefined : (await signing.powers.list(personOf(visit))).find((one) => keyOfPower(one) === como)
  const [left = 1, top = 1] = lugar.split(' ').map(Number)
  const page = folha === 'page' ? (numero ?? 'last') : folha
  return {
    ...(carimbo === 'sim' && { stamp: { page, left: x ?? left, top: y ?? top } }),
    ...(certificado !== '' && { credentialId: certificado }),
    // One that is not on the list any more is judged, and refused, by the register.
    ...(como !== '' && { as: power ? { mandateId: power.mandateId, party: power.party, power: power.power } : { mandateId: '', party: '', power: '' } }),
  }
}

