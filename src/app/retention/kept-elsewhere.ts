import type { KeptElsewhere } from '../../platform/retention/term.ts'

const ACCOUNT = 'Enquanto a conta existir; conta encerrada guarda só o necessário para não ser reaberta por outra pessoa'

/** Rows about people that other jobs end, or that go with what they belong to; each table with sensitive columns is here or among the terms. */
export const KEPT_ELSEWHERE: readonly KeptElsewhere[] = [
  { tables: ['person', 'account'], what: 'Pessoa e conta', purpose: 'Identificar quem entra', until: ACCOUNT },
  { tables: ['contact', 'passkey', 'certificate_factor', 'totp_factor', 'recovery_code', 'device'], what: 'Contatos, fatores e aparelhos em uso', purpose: 'Entrar na conta e avisar a pessoa', until: 'Até a pessoa os retirar, ou a conta acabar; depois, o prazo da tabela acima' },
  { tables: ['one_time_token'], what: 'Códigos e endereços de uso único', purpose: 'Confirmar um ato', until: 'Um dia depois de usados ou vencidos', job: 'accounts-purge' },
  { tables: ['page_session'], what: 'Sessões de páginas', purpose: 'Manter a pessoa na página', until: 'O fim da sessão, conferido de hora em hora', job: 'page-sessions-purge' },
  { tables: ['oidc_artifact', 'oidc_volatile'], what: 'Códigos, tokens e consentimentos em curso', purpose: 'Entrar em serviços', until: 'O vencimento de cada um', job: 'oidc-purge' },
  { tables: ['outbox_message'], what: 'Mensagens a enviar', purpose: 'Avisar a pessoa', until: 'O envio, ou a desistência: o conteúdo é apagado no mesmo instante' },
  { tables: ['stored_image', 'image_original', 'face_template'], what: 'Imagens e modelos de rosto', purpose: 'Conferir a pessoa', until: 'A política de `imagens prazos`, como sai de fábrica: enquanto durar o vínculo; dez anos sem uso, ou cinco depois da morte e do último uso, alguém confere (`imagens a-conferir`) e nada some sozinho; retirada, cinco anos. Conta encerrada, 30 dias; pedido da pessoa, na hora. O jurídico tem de confirmar', job: 'images-retention' },
  { tables: ['face_candidate', 'image_hold'], what: 'Pares de rostos a julgar, e guardas legais em vigor', purpose: 'Não identificar duas pessoas como uma; cumprir ordem', until: 'O apagamento das imagens da pessoa (pares não confirmados); o fim da guarda', job: 'images-of-closed-accounts' },
  { tables: ['liveness_session', 'liveness_frame', 'liveness_replay'], what: 'Conferência de rosto em curso e impressões digitais de quadros', purpose: 'Impedir que um vídeo seja usado duas vezes', until: 'Quadros: o fim da conferência; o resto: o prazo de docs/liveness.md', job: 'liveness-sweep' },
  { tables: ['agency_validation', 'agency_idempotency'], what: 'Conferências pedidas por órgãos', purpose: 'Responder ao órgão', until: '90 dias depois do fim; repetições, um dia', job: 'agencies-sweep' },
  { tables: ['agency_receipt'], what: 'Recibos de imagens mandadas por órgãos', purpose: 'Provar a entrega', until: 'Enquanto a imagem puder ser contestada: vive com o registro da imagem' },
  { tables: ['capture_process', 'capture_item', 'capture_part'], what: 'Coletas dos pontos de captura', purpose: 'Receber imagens e cobrar o que se coletou', until: 'Bytes em trânsito: o fim da coleta; a coleta fica no diário que se cobra, só com números', job: 'captures-sweep' },
  { tables: ['company_record', 'company_administrator', 'company_establishment', 'company_lookup'], what: 'Cópia do registro de empresas', purpose: 'Saber quem pode agir pela empresa', until: 'A próxima consulta ao registro, que a substitui', job: 'proxies-parties' },
  { tables: ['proxy_party', 'mandate', 'mandate_instrument'], what: 'Procurações e suas partes', purpose: 'Saber quem age por quem, e conferir instrumentos apresentados', until: 'Registro público de atos: enquanto houver instrumento que se possa apresentar' },
  { tables: ['proxy_act'], what: 'Atos conjuntos', purpose: 'Reunir as decisões', until: 'Um ano depois do fim', job: 'proxies-sweep' },
  { tables: ['mandate_signing'], what: 'Procuração à espera de assinatura', purpose: 'Assinar', until: 'O vencimento do pedido', job: 'proxies-signing-purge' },
  { tables: ['pki_certificate'], what: 'Certificados emitidos', purpose: 'Conferir assinaturas', until: 'Enquanto houver assinatura a conferir (ITI: 30 anos depois do vencimento da autoridade)' },
  { tables: ['signature_credential', 'signature_activation', 'signature_ask', 'signature_handle', 'signature_lending'], what: 'Chaves de assinatura e pedidos de uso', purpose: 'Assinar pela pessoa, com a sua ordem', until: 'Chave: o vencimento ou a revogação; pedidos: um dia', job: 'signatures-purge' },
  { tables: ['signing_content', 'signing_detached', 'signing_document', 'signing_attempt', 'signing_signature', 'signing_signer'], what: 'Documentos assinados aqui', purpose: 'Entregar e conferir o documento', until: 'Conteúdo: 30 dias depois de assinado, 7 se não foi; a assinatura fica para quem confere o código', job: 'signing-purge' },
  { tables: ['icp_request', 'icp_certificate'], what: 'Certificados ICP-Brasil mostrados', purpose: 'Dar o selo', until: 'Pedido: um dia; certificado: o fim do selo', job: 'icp-purge' },
]

/** Tables whose sensitive columns say nothing of a person. */
export const NOT_OF_PEOPLE: Readonly<Record<string, string>> = {
  keyring_key: 'chaves do cofre, cifradas sob a chave-mestra',
  oidc_client: 'segredo de um sistema',
  oidc_key: 'chaves que assinam tokens',
  pki_key: 'chaves de autoridades certificadoras e seladoras',
  receipt_signing_key: 'chaves que assinam recibos a órgãos',
}
