import Router from '@koa/router'
import { z } from 'zod'
import { isLevelAtLeast } from '../../assurance/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type InNameOf, shownAs, type SigningChoice, signerOf } from '../../signatures/index.ts'
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
  const finish = pages.signedIn(async (ctx, visit, { params: { id, attempt } }: { params: z.output<typeof attempting> }) => {
    const refusal = await refusalOf(() => signing.confirmations.finish(personOf(visit), attempt, { idToken: visit.idToken }))
    if (refusal === undefined) return seeOther(ctx, tell(`${PAGE}/${id}`, 'document-signed'))
    // A reload of what is done.
    if (await isSigned(desk, visit, id)) return seeOther(ctx, `${PAGE}/${id}`)
    ctx.status = 422
    await showConfirmation(desk, ctx, visit, id, refusal)
  })

  router.get(`${PAGE}/:id/assinar`, guard({ params }, choose))
  router.post(`${PAGE}/:id/assinar`, guard({ params, body: choosing }, chosen))
  router.get(`${PAGE}/:id/confirmar`, guard({ params }, confirm))
  router.post(`${PAGE}/:id/confirmar`, guard({ params, body: proving }, confirmed))
  router.get(`${PAGE}/:id/assinando/:attempt`, guard({ params: attempting }, finish))
  return router
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
      powers: powers.map((power) => ({ value: keyOfPower(power), ...power.represented, isChosen: choice.as !== undefined && keyOfPower(power) === keyOfPower(choice.as) })),
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
  const power = choice.as && (await signing.powers.list(by)).find((one) => choice.as && keyOfPower(one) === keyOfPower(choice.as))
  showIn(desk, ctx, visit, {
    view: 'signing/confirm',
    data: {
      envelope: envelopeCard(envelope, by), choice, shown: shownAs(envelope, choice), refusal, back: `${PAGE}/${id}/assinar`, name: by.name, represented: power?.represented,
      level: envelope.level, maySign: isLevelAtLeast(await about.levelOf(by.accountId), 'prata'), heldUntil: visit.heldUntil,
    },
  })
}

const keyOfPower = ({ mandateId, party, power }: InNameOf): string => `${mandateId}|${party}|${power}`

async function choiceOf({ signing }: SigningDesk, visit: Visit, { como, carimbo, folha, numero, lugar, x, y }: z.output<typeof choosing>): Promise<SigningChoice> {
  const power = como === '' ? undefined : (await signing.powers.list(personOf(visit))).find((one) => keyOfPower(one) === como)
  const [left = 1, top = 1] = lugar.split(' ').map(Number)
  const page = folha === 'page' ? (numero ?? 'last') : folha
  return {
    ...(carimbo === 'sim' && { stamp: { page, left: x ?? left, top: y ?? top } }),
    // One that is not on the list any more is judged, and refused, by the register.
    ...(como !== '' && { as: power ? { mandateId: power.mandateId, party: power.party, power: power.power } : { mandateId: '', party: '', power: '' } }),
  }
}

