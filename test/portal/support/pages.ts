/** Every page of the citizen's area behind its front door: one list for whoever checks them all. */
export const AREA_PAGES = [
  '/conta/dados',
  '/conta/dados/email',
  '/conta/dados/telefone',
  '/conta/encerrar',
  '/conta/nivel',
  '/conta/nivel/certificado',
  '/conta/seguranca',
  '/conta/seguranca/senha',
  '/conta/seguranca/aplicativo',
  '/conta/seguranca/chaves',
  '/conta/seguranca/codigos',
  '/conta/aparelhos',
  '/conta/sistemas',
  '/conta/procuracoes',
  '/conta/procuracoes/usos',
  '/conta/procuracoes/pedidos',
  '/conta/procuracoes/atos',
  '/conta/procuracoes/nova/quem',
  '/conta/procuracoes/pedir/quem',
  '/conta/assinaturas',
  '/conta/assinaturas/historico',
  '/conta/assinaturas/nova',
  '/conta/autorizar',
  '/conta/empresas',
  '/conta/certificados',
  '/conta/certificados/novo',
  '/conta/historico',
  '/conta/nao-fui-eu',
] as const

/** Where a code is typed; without one that was sent they lead back. */
export const CODE_PAGES = ['/conta/dados/email/codigo', '/conta/dados/telefone/codigo'] as const
