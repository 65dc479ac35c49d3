/** Claims by scope (OpenID Connect Core 5.4, and this state's own); `null` on top level is available on request only. */
export const SCOPE_CLAIMS = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'aal', 'face_time'],
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
