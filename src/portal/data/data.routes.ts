import Router from '@koa/router'
import { ACCOUNTS_PROBLEMS, type Contacts, formatMobilePhone, maskCpf } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import { isProblem } from '../../platform/problem.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther } from '../pages.ts'

export interface DataRoutesDependencies {
  readonly pages: AreaPages
  readonly contacts: Contacts
}

const PAGE = '/conta/dados'

/** Who the citizen is, and the addresses that they are reached at. */
export function createDataRoutes({ pages, contacts }: DataRoutesDependencies): Router {
  const router = new Router()

  const show = pages.section({ section: 'data', view: 'data' }, ({ account, heldUntil }) => {
    const { name, socialName, cpf, birthDate, email, phone } = account.citizen.reveal()
    return {
      heldUntil,
      person: { name, socialName, cpf: maskCpf(cpf), birthDate },
      email,
      phone: phone && formatMobilePhone(phone),
      canUsePhone: contacts.canUsePhone(),
      canRemovePhone: phone !== undefined && email !== undefined,
    }
  })
  const removePhone = pages.fresh(async (ctx, { changer }) => {
    const isGone = await removed(() => contacts.remove(changer, 'phone'))
    seeOther(ctx, isGone ? tell(PAGE, 'phone-removed') : PAGE)
  })

  router.get(PAGE, show)
  router.post(`${PAGE}/telefone/retirar`, guard({}, removePhone))
  return router
}

/** False when there was none, as after a second press. */
async function removed(remove: () => Promise<void>): Promise<boolean> {
  try {
    await remove()
    return true
  } catch (error) {
    if (isProblem(error, ACCOUNTS_PROBLEMS.contactRefused)) return false
    throw error
  }
}
