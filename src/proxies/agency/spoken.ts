import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { Problem } from '../../platform/problem.ts'
import type { Decision } from '../decision/decide.ts'
import type { Authority } from '../entered/entered.ts'
import type { Mandate } from '../mandate/mandate.ts'
import { type Party, type PartyRef, parsePartyRef } from '../party/party.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { Proxies } from '../proxies.ts'
import { parsePowerName, type Power, powerName } from '../role/role.ts'
import type { ProxyClient } from './policy.ts'

export function ownNamespace({ policy }: ProxyClient, namespace: string): string {
  if (!policy.namespaces.includes(namespace)) throw new Problem(PROXIES_PROBLEMS.namespaceForeign)
  return namespace
}

/** The guard has seen that it is a name of a power. */
export function ownPower(client: ProxyClient, text: string): Pick<Power, 'namespace' | 'code'> {
  const power = parsePowerName(text)
  if (power === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput)
  ownNamespace(client, power.namespace)
  return power
}

/** Powers in the versions that are published now. */
export async function currentPowers({ roles }: Pick<Proxies, 'roles'>, client: ProxyClient, texts: readonly string[]): Promise<Power[]> {
  const wanted = texts.map((text) => ownPower(client, text))
  const published = await roles.list({ namespace: wanted[0]?.namespace, hidden: true })
  return wanted.map(({ namespace, code }) => {
    const role = published.find((one) => one.namespace === namespace && one.code === code)
    if (role === undefined) throw new Problem(PROXIES_PROBLEMS.roleNotFound)
    return { namespace, code, version: role.version }
  })
}

export function partyOf(text: string): PartyRef {
  const ref = parsePartyRef(text)
  if (ref === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput)
  return ref
}

export const named = ({ documento, nome }: { documento: string; nome: string }) => ({ ref: partyOf(documento), name: nome })

export const authorityOf = ({ id, policy }: ProxyClient, official: string): Authority => ({ clientId: id, namespaces: policy.namespaces, official })

export function spokenDecision({ permit, reason, mandateId, kind, chain, until, obligations }: Decision) {
  const { level, joint, register, recordUse } = obligations
  return {
    permitido: permit, motivo: reason, ...(mandateId && { procuracao: mandateId }), ...(kind && { tipo: kind }),
    cadeia: chain.map(({ mandateId: procuracao, depth }) => ({ procuracao, profundidade: depth })), ...(until && { valida_ate: until }),
    obrigacoes: {
      ...(level && { nivel: level }), ...(joint && { conjunta: { quorum: joint.quorum, aprovacoes: joint.approvals } }),
      ...(register && { registro: { fonte: register.source, consultado_em: register.checkedAt.toISOString() } }), registrar_uso: recordUse,
    },
  }
}

const spokenParty = ({ kind, document, name }: Party) => ({ tipo: kind, documento: document, nome: name })

export function spokenMandate(mandate: Mandate) {
  const { joint, instance, parentId, validThrough } = mandate
  return {
    id: mandate.id, tipo: mandate.kind, situacao: mandate.state, representado: spokenParty(mandate.represented), outorgante: spokenParty(mandate.grantor),
    outorgado: spokenParty(mandate.delegate), poderes: mandate.powers.map((power) => ({ poder: powerName(power), versao: power.version })),
    valida_de: mandate.validFrom, ...(validThrough && { valida_ate: validThrough }), vale_desde: mandate.effectiveAt.toISOString(),
    ...(joint && { conjunta: { quorum: joint.quorum } }), ...(instance && { instancia: instance }), ...(parentId && { substabelecimento_de: parentId }),
    pode_substabelecer: mandate.subDepth > 0,
  }
}
