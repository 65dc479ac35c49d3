-- People, accounts and how they prove themselves; the audit record; the protocol's state; keys; messages to send.
-- Every column carries a comment "sensitive: yes|no" (personal or secret data or not); test/schema.test.ts enforces it.

-- platform -----------------------------------------------------------------------------------------------------------
CREATE TABLE keyring_key (
  id            text PRIMARY KEY,
  purpose       text NOT NULL,
  wrapped       bytea NOT NULL,
  master_key_id text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  retired_at    timestamptz
);
CREATE TABLE outbox_message (
  id         uuid PRIMARY KEY,
  channel    text NOT NULL CHECK (channel IN ('mail', 'sms')),
  sealed     bytea,
  purpose    text NOT NULL,
  created_at timestamptz NOT NULL,
  sent_at    timestamptz,
  attempts   int NOT NULL DEFAULT 0,
  last_error text
);
CREATE INDEX outbox_message_pending ON outbox_message (created_at) WHERE sent_at IS NULL;
CREATE TABLE page_session (
  id_hash      bytea PRIMARY KEY,
  area         text NOT NULL,
  account_id   uuid,
  sid          text,
  data         bytea NOT NULL,
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX page_session_account ON page_session (account_id);
CREATE INDEX page_session_sid ON page_session (sid);
CREATE INDEX page_session_expires ON page_session (expires_at);

-- audit --------------------------------------------------------------------------------------------------------------
CREATE TABLE audit_event (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  type       text NOT NULL,
  actor_kind text NOT NULL,
  actor_id   text,
  subject_id uuid,
  client_id  text,
  data       jsonb NOT NULL,
  salt       bytea NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject_id, at DESC);
CREATE TABLE audit_seal (
  seq        bigint PRIMARY KEY,
  event_id   bigint NOT NULL UNIQUE,
  event_hash bytea NOT NULL,
  hash       bytea NOT NULL
);
CREATE TABLE audit_checkpoint (
  seq        bigint PRIMARY KEY,
  hash       bytea NOT NULL,
  at         timestamptz NOT NULL,
  signature  bytea NOT NULL,
  key_id     text NOT NULL
);
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();

-- accounts -----------------------------------------------------------------------------------------------------------
CREATE TABLE person (
  id          uuid PRIMARY KEY,
  cpf         text NOT NULL UNIQUE,
  name        text NOT NULL,
  social_name text,
  birth_date  date NOT NULL,
  data_key    bytea,
  created_at  timestamptz NOT NULL
);
CREATE TABLE account (
  id                  uuid PRIMARY KEY,
  person_id           uuid NOT NULL UNIQUE REFERENCES person (id),
  status              text NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
  status_reason       text,
  password_hash       text,
  password_changed_at timestamptz,
  recovered_at        timestamptz,
  recovered_by        text,
  credentials_changed_at timestamptz,
  locale              text NOT NULL DEFAULT 'pt-BR',
  roles               text[] NOT NULL DEFAULT '{}',
  created_at          timestamptz NOT NULL
);
CREATE TABLE contact (
  id          uuid PRIMARY KEY,
  account_id  uuid NOT NULL REFERENCES account (id),
  kind        text NOT NULL CHECK (kind IN ('email', 'phone')),
  value       text NOT NULL,
  is_primary  boolean NOT NULL DEFAULT true,
  verified_at timestamptz,
  created_at  timestamptz NOT NULL,
  removed_at  timestamptz
);
CREATE INDEX contact_account ON contact (account_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX contact_one_primary ON contact (account_id, kind) WHERE is_primary AND removed_at IS NULL;
CREATE TABLE totp_factor (
  id           uuid PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES account (id),
  secret       bytea NOT NULL,
  created_at   timestamptz NOT NULL,
  confirmed_at timestamptz,
  last_step    bigint NOT NULL DEFAULT 0,
  removed_at   timestamptz
);
CREATE UNIQUE INDEX totp_factor_one ON totp_factor (account_id) WHERE confirmed_at IS NOT NULL AND removed_at IS NULL;
CREATE TABLE passkey (
  id            uuid PRIMARY KEY,
  account_id    uuid NOT NULL REFERENCES account (id),
  credential_id bytea NOT NULL UNIQUE,
  public_key    bytea NOT NULL,
  counter       bigint NOT NULL,
  transports    text[] NOT NULL DEFAULT '{}',
  backed_up     boolean NOT NULL DEFAULT false,
  label         text NOT NULL,
  created_at    timestamptz NOT NULL,
  last_used_at  timestamptz,
  removed_at    timestamptz
);
CREATE INDEX passkey_account ON passkey (account_id) WHERE removed_at IS NULL;
CREATE TABLE recovery_code (
  id         uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES account (id),
  code_hash  bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  used_at    timestamptz,
  removed_at timestamptz
);
CREATE INDEX recovery_code_account ON recovery_code (account_id);
CREATE TABLE one_time_token (
  id          uuid PRIMARY KEY,
  kind        text NOT NULL,
  secret_hash bytea NOT NULL,
  account_id  uuid,
  binding     text,
  sealed      bytea,
  attempts    int NOT NULL DEFAULT 0,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  consumed_at timestamptz
);
CREATE INDEX one_time_token_expires ON one_time_token (expires_at);
CREATE INDEX one_time_token_account ON one_time_token (account_id, kind);
CREATE TABLE device (
  id           uuid PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES account (id),
  cookie_hash  bytea NOT NULL,
  label        text NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_seen_at  timestamptz NOT NULL,
  removed_at    timestamptz,
  UNIQUE (account_id, cookie_hash)
);
CREATE TABLE sign_in_session (
  id               text PRIMARY KEY,
  account_id       uuid NOT NULL REFERENCES account (id),
  device_id        uuid REFERENCES device (id),
  amr              text[] NOT NULL,
  aal              int NOT NULL,
  authenticated_at timestamptz NOT NULL,
  face_at          timestamptz,
  face_class       text,
  created_at       timestamptz NOT NULL,
  last_seen_at     timestamptz NOT NULL,
  ended_at         timestamptz,
  end_reason       text
);
CREATE INDEX sign_in_session_account ON sign_in_session (account_id) WHERE ended_at IS NULL;
CREATE TABLE throttle (
  key    varchar(255) PRIMARY KEY,
  points int NOT NULL DEFAULT 0,
  expire bigint
);

-- biometrics ---------------------------------------------------------------------------------------------------------
CREATE TABLE stored_image (
  id            uuid PRIMARY KEY,
  person_id     uuid NOT NULL REFERENCES person (id),
  kind          text NOT NULL CHECK (kind IN ('face', 'document-front', 'document-back', 'signature', 'fingerprint', 'other')),
  source        text NOT NULL,
  capture_point text,
  operator_id   text,
  method        text NOT NULL,
  trusted       boolean NOT NULL,
  in_person     boolean NOT NULL DEFAULT false,
  content_type  text NOT NULL,
  width         int NOT NULL,
  height        int NOT NULL,
  sealed        bytea NOT NULL,
  captured_at   timestamptz NOT NULL,
  created_at    timestamptz NOT NULL,
  withdrawn_at  timestamptz
);
CREATE INDEX stored_image_person ON stored_image (person_id, kind) WHERE withdrawn_at IS NULL;
CREATE TABLE face_template (
  id         uuid PRIMARY KEY,
  image_id   uuid NOT NULL REFERENCES stored_image (id),
  person_id  uuid NOT NULL REFERENCES person (id),
  model_id   text NOT NULL,
  k          int NOT NULL,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX face_template_person ON face_template (person_id, model_id);

-- assurance ----------------------------------------------------------------------------------------------------------
CREATE TABLE evidence (
  id              uuid PRIMARY KEY,
  person_id       uuid NOT NULL REFERENCES person (id),
  method          text NOT NULL,
  source          text NOT NULL,
  grants          text NOT NULL CHECK (grants IN ('bronze', 'prata', 'ouro')),
  obtained_at     timestamptz NOT NULL,
  expires_at      timestamptz,
  withdrawn_at    timestamptz,
  withdrawn_reason text,
  operator_id     text,
  location        text,
  liveness_class  text,
  image_id        uuid REFERENCES stored_image (id),
  details         jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX evidence_person ON evidence (person_id);

-- oidc ---------------------------------------------------------------------------------------------------------------
CREATE TABLE oidc_artifact (
  model       text NOT NULL,
  id          text NOT NULL,
  payload     jsonb NOT NULL,
  uid         text,
  user_code   text,
  grant_id    text,
  account_id  text,
  expires_at  timestamptz,
  consumed_at timestamptz,
  PRIMARY KEY (model, id)
);
CREATE INDEX oidc_artifact_grant ON oidc_artifact (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX oidc_artifact_uid ON oidc_artifact (model, uid) WHERE uid IS NOT NULL;
CREATE INDEX oidc_artifact_user_code ON oidc_artifact (model, user_code) WHERE user_code IS NOT NULL;
CREATE INDEX oidc_artifact_account ON oidc_artifact (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX oidc_artifact_expires ON oidc_artifact (expires_at);
CREATE TABLE oidc_client (
  id          text PRIMARY KEY,
  metadata    jsonb NOT NULL,
  secret      bytea,
  policy      jsonb NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  disabled_at timestamptz
);
CREATE TABLE oidc_key (
  kid          text PRIMARY KEY,
  alg          text NOT NULL,
  public_jwk   jsonb NOT NULL,
  wrapped      bytea NOT NULL,
  created_at   timestamptz NOT NULL,
  active_from  timestamptz NOT NULL,
  retire_at    timestamptz,
  removed_at   timestamptz
);
CREATE TABLE consent (
  account_id   uuid NOT NULL REFERENCES account (id),
  client_id    text NOT NULL,
  grant_id     text NOT NULL,
  scopes       text[] NOT NULL,
  claims       text[] NOT NULL,
  granted_at   timestamptz NOT NULL,
  withdrawn_at timestamptz,
  PRIMARY KEY (account_id, client_id)
);

-- labels -------------------------------------------------------------------------------------------------------------
COMMENT ON COLUMN keyring_key.id IS 'sensitive: no';
COMMENT ON COLUMN keyring_key.purpose IS 'sensitive: no';
COMMENT ON COLUMN keyring_key.wrapped IS 'sensitive: yes';
COMMENT ON COLUMN keyring_key.master_key_id IS 'sensitive: no';
COMMENT ON COLUMN keyring_key.created_at IS 'sensitive: no';
COMMENT ON COLUMN keyring_key.retired_at IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.id IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.channel IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.sealed IS 'sensitive: yes';
COMMENT ON COLUMN outbox_message.purpose IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.created_at IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.sent_at IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.attempts IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.last_error IS 'sensitive: no';
COMMENT ON COLUMN page_session.id_hash IS 'sensitive: no';
COMMENT ON COLUMN page_session.area IS 'sensitive: no';
COMMENT ON COLUMN page_session.account_id IS 'sensitive: yes';
COMMENT ON COLUMN page_session.sid IS 'sensitive: no';
COMMENT ON COLUMN page_session.data IS 'sensitive: yes';
COMMENT ON COLUMN page_session.created_at IS 'sensitive: no';
COMMENT ON COLUMN page_session.last_seen_at IS 'sensitive: no';
COMMENT ON COLUMN page_session.expires_at IS 'sensitive: no';
COMMENT ON COLUMN audit_event.id IS 'sensitive: no';
COMMENT ON COLUMN audit_event.at IS 'sensitive: no';
COMMENT ON COLUMN audit_event.type IS 'sensitive: no';
COMMENT ON COLUMN audit_event.actor_kind IS 'sensitive: no';
COMMENT ON COLUMN audit_event.actor_id IS 'sensitive: no';
COMMENT ON COLUMN audit_event.subject_id IS 'sensitive: no';
COMMENT ON COLUMN audit_event.client_id IS 'sensitive: no';
COMMENT ON COLUMN audit_event.data IS 'sensitive: no';
COMMENT ON COLUMN audit_event.salt IS 'sensitive: no';
COMMENT ON COLUMN audit_seal.seq IS 'sensitive: no';
COMMENT ON COLUMN audit_seal.event_id IS 'sensitive: no';
COMMENT ON COLUMN audit_seal.event_hash IS 'sensitive: no';
COMMENT ON COLUMN audit_seal.hash IS 'sensitive: no';
COMMENT ON COLUMN audit_checkpoint.seq IS 'sensitive: no';
COMMENT ON COLUMN audit_checkpoint.hash IS 'sensitive: no';
COMMENT ON COLUMN audit_checkpoint.at IS 'sensitive: no';
COMMENT ON COLUMN audit_checkpoint.signature IS 'sensitive: no';
COMMENT ON COLUMN audit_checkpoint.key_id IS 'sensitive: no';
COMMENT ON COLUMN person.id IS 'sensitive: no';
COMMENT ON COLUMN person.cpf IS 'sensitive: yes';
COMMENT ON COLUMN person.name IS 'sensitive: yes';
COMMENT ON COLUMN person.social_name IS 'sensitive: yes';
COMMENT ON COLUMN person.birth_date IS 'sensitive: yes';
COMMENT ON COLUMN person.data_key IS 'sensitive: yes';
COMMENT ON COLUMN person.created_at IS 'sensitive: no';
COMMENT ON COLUMN account.id IS 'sensitive: no';
COMMENT ON COLUMN account.person_id IS 'sensitive: no';
COMMENT ON COLUMN account.status IS 'sensitive: no';
COMMENT ON COLUMN account.status_reason IS 'sensitive: no';
COMMENT ON COLUMN account.password_hash IS 'sensitive: yes';
COMMENT ON COLUMN account.password_changed_at IS 'sensitive: no';
COMMENT ON COLUMN account.recovered_at IS 'sensitive: no';
COMMENT ON COLUMN account.recovered_by IS 'sensitive: no';
COMMENT ON COLUMN account.credentials_changed_at IS 'sensitive: no';
COMMENT ON COLUMN account.locale IS 'sensitive: no';
COMMENT ON COLUMN account.roles IS 'sensitive: no';
COMMENT ON COLUMN account.created_at IS 'sensitive: no';
COMMENT ON COLUMN contact.id IS 'sensitive: no';
COMMENT ON COLUMN contact.account_id IS 'sensitive: no';
COMMENT ON COLUMN contact.kind IS 'sensitive: no';
COMMENT ON COLUMN contact.value IS 'sensitive: yes';
COMMENT ON COLUMN contact.is_primary IS 'sensitive: no';
COMMENT ON COLUMN contact.verified_at IS 'sensitive: no';
COMMENT ON COLUMN contact.created_at IS 'sensitive: no';
COMMENT ON COLUMN contact.removed_at IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.id IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.account_id IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.secret IS 'sensitive: yes';
COMMENT ON COLUMN totp_factor.created_at IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.confirmed_at IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.last_step IS 'sensitive: no';
COMMENT ON COLUMN totp_factor.removed_at IS 'sensitive: no';
COMMENT ON COLUMN passkey.id IS 'sensitive: no';
COMMENT ON COLUMN passkey.account_id IS 'sensitive: no';
COMMENT ON COLUMN passkey.credential_id IS 'sensitive: yes';
COMMENT ON COLUMN passkey.public_key IS 'sensitive: yes';
COMMENT ON COLUMN passkey.counter IS 'sensitive: no';
COMMENT ON COLUMN passkey.transports IS 'sensitive: no';
COMMENT ON COLUMN passkey.backed_up IS 'sensitive: no';
COMMENT ON COLUMN passkey.label IS 'sensitive: yes';
COMMENT ON COLUMN passkey.created_at IS 'sensitive: no';
COMMENT ON COLUMN passkey.last_used_at IS 'sensitive: no';
COMMENT ON COLUMN passkey.removed_at IS 'sensitive: no';
COMMENT ON COLUMN recovery_code.id IS 'sensitive: no';
COMMENT ON COLUMN recovery_code.account_id IS 'sensitive: no';
COMMENT ON COLUMN recovery_code.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN recovery_code.created_at IS 'sensitive: no';
COMMENT ON COLUMN recovery_code.used_at IS 'sensitive: no';
COMMENT ON COLUMN recovery_code.removed_at IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.id IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.kind IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.secret_hash IS 'sensitive: yes';
COMMENT ON COLUMN one_time_token.account_id IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.binding IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.sealed IS 'sensitive: yes';
COMMENT ON COLUMN one_time_token.attempts IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.created_at IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.expires_at IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.consumed_at IS 'sensitive: no';
COMMENT ON COLUMN device.id IS 'sensitive: no';
COMMENT ON COLUMN device.account_id IS 'sensitive: no';
COMMENT ON COLUMN device.cookie_hash IS 'sensitive: yes';
COMMENT ON COLUMN device.label IS 'sensitive: yes';
COMMENT ON COLUMN device.first_seen_at IS 'sensitive: no';
COMMENT ON COLUMN device.last_seen_at IS 'sensitive: no';
COMMENT ON COLUMN device.removed_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.id IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.account_id IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.device_id IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.amr IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.aal IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.authenticated_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.face_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.face_class IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.created_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.last_seen_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.ended_at IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.end_reason IS 'sensitive: no';
COMMENT ON COLUMN throttle.key IS 'sensitive: no';
COMMENT ON COLUMN throttle.points IS 'sensitive: no';
COMMENT ON COLUMN throttle.expire IS 'sensitive: no';
COMMENT ON COLUMN stored_image.id IS 'sensitive: no';
COMMENT ON COLUMN stored_image.person_id IS 'sensitive: no';
COMMENT ON COLUMN stored_image.kind IS 'sensitive: no';
COMMENT ON COLUMN stored_image.source IS 'sensitive: no';
COMMENT ON COLUMN stored_image.capture_point IS 'sensitive: no';
COMMENT ON COLUMN stored_image.operator_id IS 'sensitive: no';
COMMENT ON COLUMN stored_image.method IS 'sensitive: no';
COMMENT ON COLUMN stored_image.trusted IS 'sensitive: no';
COMMENT ON COLUMN stored_image.in_person IS 'sensitive: no';
COMMENT ON COLUMN stored_image.content_type IS 'sensitive: no';
COMMENT ON COLUMN stored_image.width IS 'sensitive: no';
COMMENT ON COLUMN stored_image.height IS 'sensitive: no';
COMMENT ON COLUMN stored_image.sealed IS 'sensitive: yes';
COMMENT ON COLUMN stored_image.captured_at IS 'sensitive: no';
COMMENT ON COLUMN stored_image.created_at IS 'sensitive: no';
COMMENT ON COLUMN stored_image.withdrawn_at IS 'sensitive: no';
COMMENT ON COLUMN face_template.id IS 'sensitive: no';
COMMENT ON COLUMN face_template.image_id IS 'sensitive: no';
COMMENT ON COLUMN face_template.person_id IS 'sensitive: no';
COMMENT ON COLUMN face_template.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_template.k IS 'sensitive: no';
COMMENT ON COLUMN face_template.sealed IS 'sensitive: yes';
COMMENT ON COLUMN face_template.created_at IS 'sensitive: no';
COMMENT ON COLUMN evidence.id IS 'sensitive: no';
COMMENT ON COLUMN evidence.person_id IS 'sensitive: no';
COMMENT ON COLUMN evidence.method IS 'sensitive: no';
COMMENT ON COLUMN evidence.source IS 'sensitive: no';
COMMENT ON COLUMN evidence.grants IS 'sensitive: no';
COMMENT ON COLUMN evidence.obtained_at IS 'sensitive: no';
COMMENT ON COLUMN evidence.expires_at IS 'sensitive: no';
COMMENT ON COLUMN evidence.withdrawn_at IS 'sensitive: no';
COMMENT ON COLUMN evidence.withdrawn_reason IS 'sensitive: no';
COMMENT ON COLUMN evidence.operator_id IS 'sensitive: no';
COMMENT ON COLUMN evidence.location IS 'sensitive: no';
COMMENT ON COLUMN evidence.liveness_class IS 'sensitive: no';
COMMENT ON COLUMN evidence.image_id IS 'sensitive: no';
COMMENT ON COLUMN evidence.details IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.model IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.id IS 'sensitive: yes';
COMMENT ON COLUMN oidc_artifact.payload IS 'sensitive: yes';
COMMENT ON COLUMN oidc_artifact.uid IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.user_code IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.grant_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.account_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.expires_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_artifact.consumed_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.id IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.metadata IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.secret IS 'sensitive: yes';
COMMENT ON COLUMN oidc_client.policy IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.created_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.updated_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_client.disabled_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.kid IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.alg IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.public_jwk IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.wrapped IS 'sensitive: yes';
COMMENT ON COLUMN oidc_key.created_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.active_from IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.retire_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_key.removed_at IS 'sensitive: no';
COMMENT ON COLUMN consent.account_id IS 'sensitive: no';
COMMENT ON COLUMN consent.client_id IS 'sensitive: no';
COMMENT ON COLUMN consent.grant_id IS 'sensitive: no';
COMMENT ON COLUMN consent.scopes IS 'sensitive: no';
COMMENT ON COLUMN consent.claims IS 'sensitive: no';
COMMENT ON COLUMN consent.granted_at IS 'sensitive: no';
COMMENT ON COLUMN consent.withdrawn_at IS 'sensitive: no';
