/**
 * Citizens' accounts: who they are, how they sign in, how they recover, and what they are told.
 *
 * Terminology: **citizen** = person with a CPF · **account** = their way in, at most one · **contact** = confirmed address ·
 * **factor** = TOTP, passkey or recovery code · **session** = one sign-in in one browser · **device** = a browser known by a cookie ·
 * **ticket** = the right password whose second factor is owed · **binding** = what ties a step to one browser.
 *
 * Everything that refuses a citizen answers a `kind`; a Problem is thrown only for what a page cannot mend in place.
 */
export {
  type Account, type AccountId, type AccountStatus, type Citizen, displayName, parseAccountId, parsePersonId, type PersonId,
  type SecondFactor, SECOND_FACTORS,
} from './account.ts'
export { type Accounts, type AccountsDependencies, type AccountsPorts, createAccounts } from './accounts.ts'
export type { Changer } from './change-guard.ts'
export { type Address, type Contact, type ContactKind, maskAddress, parseAddress } from './contacts/contact.ts'
export type { ContactConfirmation, Contacts } from './contacts/contacts.ts'
export type { EndedSessions, EndOidcSessions, Facts } from './core.ts'
export { accountsEvents } from './events.ts'
export { type CertificateAsker, type CertificateDoor, type CertificateRefusal, type CertificateUse, CLOSED_DOOR, type ReadCertificate, type ShownCertificate } from './factors/certificate-door.ts'
export type { CertificateFactor } from './factors/certificate.store.ts'
export type { Certificates } from './factors/certificates.ts'
export { accountsTerms } from './terms.ts'
export type { Passkey } from './factors/passkey.store.ts'
export type { Ceremony, PasskeyProof, Passkeys } from './factors/passkeys.ts'
export type { RecoveryCodes } from './factors/recovery-codes.ts'
export type { Totp } from './factors/totp.ts'
export { type BaseRecord, type BaseRegister, isConsistent, type Situation, SITUATIONS, withDeadline } from './identity/base-register.ts'
export { type FileBaseRegister, openBaseRegisterFile } from './identity/base-register-file.ts'
export { type BirthDate, parseBirthDate } from './identity/birth-date.ts'
export { type Cnpj, formatCnpj, isNumericCnpj, parseCnpj } from './identity/cnpj.ts'
export { type Cpf, formatCpf, maskCpf, parseCpf } from './identity/cpf.ts'
export { type EmailAddress, maskEmailAddress, parseEmailAddress } from './identity/email-address.ts'
export { formatMobilePhone, maskMobilePhone, type MobilePhone, parseMobilePhone } from './identity/mobile-phone.ts'
export { withNotedDeaths } from './identity/noted-deaths.ts'
export { isSameName, maskPersonName, parsePersonName } from './identity/person-name.ts'
export type { Translations } from './notices.ts'
export type { ChangePassword, PasswordChange } from './password/password-change.ts'
export { PASSWORD_FAULTS, type PasswordFault } from './password/policy.ts'
export { ACCOUNTS_PROBLEMS } from './problems.ts'
export type {
  Recovery, RecoveryEnd, RecoveryHandle, RecoveryProgress, RecoveryStart, RecoveryView, VerifyFaceRecovery,
} from './recovery/recovery.ts'
export { RECOVERY_METHODS, type RecoveryMethod, type RecoveryStep } from './recovery/step.ts'
export type { FieldFault, RegistrationField, RegistrationForm } from './registration/form.ts'
export type { AccountCreated, Registration, RegistrationConfirmation, RegistrationStart } from './registration/registration.ts'
export type { AccessStanding, CounterAccess } from './safety/counter-access.ts'
export type { CounterActs, LostWays, WaysOfAccount } from './safety/counter-acts.ts'
export { DOUBTED_MS, type KeptWays } from './safety/kept-ways.ts'
export { type Safety, SUSPENSION_REASONS, type SuspensionReason } from './safety/safety.ts'
export { SIGNED_IN_COLUMNS, SIGNED_IN_TABLES, type SignedInRow, toSignedIn } from './sessions/signed-in.store.ts'
export { deviceLabel } from './sessions/device-label.ts'
export type { Device } from './sessions/device.store.ts'
export { AT_COUNTER, END_REASONS, isByFaceAlone, type EndReason, type SignInSession } from './sessions/session.ts'
export type { NewSession, Sessions } from './sessions/sessions.ts'
export {
  type AccountsSettings, DEFAULT_SETTINGS, type HashCost, type PasswordSettings, type SessionSettings, type ThrottleSettings,
} from './settings.ts'
export type { SignedIn } from './sign-in/completion.ts'
export type { CertificateSignInResult, FurtherSteps, PasskeySignInResult, SecondStepResult, StepUpResult } from './sign-in/further-steps.ts'
export type { FactorProof, Factors, FactorVerdict } from './sign-in/second-factor.ts'
export type { PasswordAttempt, SecondFactorNeeded, SignIn, SignInResult } from './sign-in/sign-in.ts'
export type { FaceAttempts } from './throttle/face-attempts.ts'
export { networkOf } from './throttle/limits.ts'
export {
  CODE_TTL_SECONDS, type CodeCheck, LINK_TTL_SECONDS, MAX_CODE_ATTEMPTS, type NewToken, type OneTimeTokens, type Token,
  type TokenSecrets,
} from './token/one-time-tokens.ts'
export { createAddressLimit, type AddressLimit } from './throttle/address-limit.ts'
