import type Router from '@koa/router'
import { readBearer } from '../../../platform/http/credentials.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'
import type { Liveness } from '../../liveness/session.ts'
import type { RequireClient } from '../policy.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { type MountFaceChecks, sessionIdOf, visitOf } from './face-checks.ts'
import type { Validation } from './validation.ts'
import { APP_KEY_PREFIX, type Validations } from './validations.ts'

/** Of the key of one validation, or of an agency's access token. */
const LONGEST_KEY = 4096

export interface ValidationApiDependencies {
  readonly validations: Validations
  readonly requireClient: RequireClient
  readonly face: { readonly liveness: Liveness; readonly mount: MountFaceChecks }
  readonly base: string
}

/**
 * The face check's protocol for an agency's own application: the same endpoints that our camera page uses.
 *
 * The application brings the validation's key, never the agency's credentials; the agency's own servers may bring their access token.
 */
export function createValidationChecks({ validations, requireClient, face, base }: ValidationApiDependencies): Router {
  async function getValidation(ctx: HttpContext, id: string): Promise<Validation> {
    const key = readBearer(ctx, LONGEST_KEY)
    if (!key.startsWith(APP_KEY_PREFIX)) return validations.get((await requireClient(ctx, 'biometria.validar')).id, id)
    const found = await validations.findBySecret(key)
    if (found?.id !== id) throw new Problem(AGENCY_PROBLEMS.validationNotFound)
    return found
  }

  return face.mount({
    liveness: face.liveness,
    base: `${base}/validacoes/:uid`,
    csrf: false,
    async open(ctx, uid = '') {
      const validation = await getValidation(ctx, uid)
      if (validation.flow !== 'api') throw new Problem(AGENCY_PROBLEMS.validationNotFound)
      return visitOf(validations, validation, sessionIdOf(ctx), () => `${base}/validacoes/${validation.id}`)
    },
  })
}
