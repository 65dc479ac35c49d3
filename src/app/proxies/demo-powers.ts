import type { Proxies } from '../../proxies/index.ts'

/** The agency of the demonstration. */
export const DEMO_NAMESPACE = 'sefaz-demo'
const ACTOR = { kind: 'system' } as const

/** Powers of the demonstration, as its agency would publish them. */
const POWERS = [
  {
    code: 'ipva.consultar',
    definition: {
      title: { 'pt-BR': 'Consultar o IPVA', en: 'See the vehicle tax', es: 'Consultar el impuesto del vehículo' },
      description: { 'pt-BR': 'consultar o IPVA dos seus veículos', en: 'see the tax of your vehicles', es: 'consultar el impuesto de tus vehículos' },
      longestDays: 1095, subDepth: 1,
    },
  },
  {
    code: 'ipva.pagar',
    definition: {
      title: { 'pt-BR': 'Pagar o IPVA', en: 'Pay the vehicle tax', es: 'Pagar el impuesto del vehículo' },
      description: { 'pt-BR': 'pagar o IPVA dos seus veículos', en: 'pay the tax of your vehicles', es: 'pagar el impuesto de tus vehículos' },
      longestDays: 365, subDepth: 0,
    },
  },
  {
    code: 'ipva.cuidar',
    definition: {
      title: { 'pt-BR': 'Cuidar do IPVA de quem você representa por lei', en: 'Look after the vehicle tax of whom you represent by law', es: 'Cuidar del impuesto de quien representas por ley' },
      description: { 'pt-BR': 'consultar e pagar o IPVA', en: 'see and pay the vehicle tax', es: 'consultar y pagar el impuesto del vehículo' },
      kinds: ['poder-familiar', 'tutela', 'curatela'], representedKinds: ['person'], delegateKinds: ['person'], longestDays: 1830, subDepth: 0,
    },
  },
  {
    code: 'ipva.ajuda',
    definition: {
      title: { 'pt-BR': 'Ajudar com o IPVA no balcão', en: 'Help with the vehicle tax at the counter', es: 'Ayudar con el impuesto del vehículo en el mostrador' },
      description: { 'pt-BR': 'consultar e emitir a guia do IPVA dos seus veículos', en: 'see the tax of your vehicles and print its bill', es: 'consultar y emitir el impuesto de tus vehículos' },
      kinds: ['assistencia'], representedKinds: ['person'], delegateKinds: ['organisation'], longestDays: 1, subDepth: 0, acceptance: false,
    },
  },
  {
    code: 'assinar-documentos',
    definition: {
      title: { 'pt-BR': 'Assinar documentos', en: 'Sign documents', es: 'Firmar documentos' },
      description: { 'pt-BR': 'assinar documentos em seu nome', en: 'sign documents in your name', es: 'firmar documentos en tu nombre' },
      longestDays: 365, subDepth: 0,
    },
  },
  {
    code: 'veiculo.vender',
    definition: {
      title: { 'pt-BR': 'Vender veículo', en: 'Sell a vehicle', es: 'Vender un vehículo' },
      description: { 'pt-BR': 'vender o seu veículo e assinar a transferência', en: 'sell your vehicle and sign its transfer', es: 'vender tu vehículo y firmar la transferencia' },
      longestDays: 90, subDepth: 0, signature: 'avancada',
    },
  },
]
const ANYBODY = { representedKinds: ['person', 'company'], delegateKinds: ['person', 'company'], grantorLevel: 'prata', delegateLevel: 'bronze' }

/** Publishes the demonstration's powers; what is there already stays as it is. */
export async function seedPowers({ roles }: Pick<Proxies, 'roles'>, clientId: string): Promise<void> {
  const known = await roles.namespaces()
  if (!known.some(({ code }) => code === DEMO_NAMESPACE)) {
    await roles.addNamespace({ code: DEMO_NAMESPACE, title: 'Secretaria de Fazenda (demonstração)', clientId }, ACTOR)
  }
  const published = await roles.list({ namespace: DEMO_NAMESPACE })
  for (const { code, definition } of POWERS.filter((power) => !published.some((role) => role.code === power.code))) {
    await roles.draft({ namespace: DEMO_NAMESPACE, code, definition: { ...ANYBODY, ...definition } }, ACTOR)
    await roles.publish({ namespace: DEMO_NAMESPACE, code }, ACTOR)
  }
}
