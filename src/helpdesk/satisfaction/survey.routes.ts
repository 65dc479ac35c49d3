import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { LINK, limitAddresses } from '../public-limit.routes.ts'
import type { Surveys } from './surveys.ts'

const params = z.object({ token: z.string().regex(/^[\w-]{43}$/) })
const form = z.object({
  score: z.enum(['1', '2', '3', '4', '5'], 'platform.field.required').transform(Number),
  sentence: z.string().trim().max(280, 'platform.field.too-long').optional(),
})

/** `/avaliacao/…`: 1 to 5 and a sentence, once, without a sign-in. */
export function createSurveyRoutes({ views, surveys }: { readonly views: Views; readonly surveys: Surveys }): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  router.use('/avaliacao', limitAddresses(LINK))
  const show = async (ctx: HttpContext, token: string, page: { errors?: FieldErrors; typed?: Typed } = {}) =>
    views.render(ctx, 'helpdesk/survey', { unitName: (await surveys.open(token)).unitName, ...page })

  router.get(
    '/avaliacao/:token',
    guard({ params }, (ctx, asked) => show(ctx, asked.params.token)),
  )
  router.post(
    '/avaliacao/:token',
    guard(
      { params, body: form, keep: ['score', 'sentence'], onInvalid: (ctx, { params: { token }, errors, typed }) => show(ctx, token, { errors, typed }) },
      async (ctx, { params: { token }, body: { score, sentence } }) => {
        await surveys.answer(token, { score, sentence: sentence === '' ? undefined : sentence })
        views.render(ctx, 'helpdesk/survey-thanks', {})
      },
    ),
  )
  return router
}
