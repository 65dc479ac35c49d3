import type { Proxies, Servant } from '../../proxies/index.ts'
import type { Represented } from '../../signatures/index.ts'

/** Names the act in the place of a power of the catalogue: no agency's namespace is called so. */
const SERVING = 'servidor'

/** As signatures tell it: the agency, and the post in it; the number in its register stands in the certificate alone. */
export function representedAgency({ id, namespace, agency, post }: Servant): Represented {
  return {
    kind: 'representative', mandateId: id, represented: { kind: 'organisation', name: [...agency].slice(0, 200).join(''), identifier: namespace }, role: post,
    party: namespace, power: SERVING,
  }
}

export const isServing = ({ represented }: Represented): boolean => represented.kind === 'organisation'

/** The permission itself at this moment, in that agency and post; undefined when it is over. */
export async function findServing({ servants }: Pick<Proxies, 'servants'>, accountId: string, { mandateId, party, role }: Represented): Promise<Servant | undefined> {
  return (await servants.servingOf(accountId)).find(({ id, namespace, post }) => id === mandateId && namespace === party && post === role)
}
