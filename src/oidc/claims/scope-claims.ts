/** For whom the person acts, at relying parties that registered for it. */
const REPRESENTED = ['representation', 'agent', 'grantor_account', 'representee', 'representee_list'] as const

/** Claims by scope (OpenID Connect Core 5.4, and this state's own); `null` on top level is available on request only. */
export const SCOPE_CLAIMS = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'aal', 'face_time', ...REPRESENTED],
  profile: ['name', 'social_name', 'birthdate'],
  cpf: ['cpf'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  acr: null,
  auth_time: null,
  iss: null,
  sid: null,
  verified_claims: null,
}
