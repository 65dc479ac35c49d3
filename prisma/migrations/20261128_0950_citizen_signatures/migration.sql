-- Certificates of citizens whose key is kept, and what a citizen agreed to sign.

-- A long-lived credential; whether its certificate stands is pki_certificate's to say. `sealed` is the private key under a key from the
-- citizen's own password for signing, under the keyring; gone when the certificate is revoked or another took its place.
CREATE TABLE signature_credential (
  id           uuid PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES account (id),
  person_id    uuid NOT NULL REFERENCES person (id),
  authority_id uuid NOT NULL REFERENCES pki_authority (id),
  serial       text NOT NULL,
  profile      text NOT NULL,
  key_kind     text NOT NULL,
  spki         bytea NOT NULL,
  sealed       bytea,
  -- Why it is suspended, while it is.
  held_for     text CHECK (held_for IN ('citizen', 'wrong-password', 'support')),
  -- Why it was ended, beside the certificate's own reason.
  ended_for    text,
  wrong_tries  int NOT NULL DEFAULT 0,
  replaced_by  uuid REFERENCES signature_credential (id),
  not_after    timestamptz NOT NULL,
  created_at   timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL,
  UNIQUE (authority_id, serial),
  FOREIGN KEY (authority_id, serial) REFERENCES pki_certificate (authority_id, serial)
);
CREATE INDEX signature_credential_account ON signature_credential (account_id, created_at DESC);
CREATE INDEX signature_credential_live ON signature_credential (person_id) WHERE sealed IS NOT NULL;

-- What stands for a citizen's will: `content` is what they saw, `digest` what the evidence of their will must name. Used once, or never.
CREATE TABLE signature_activation (
  id         uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES account (id),
  client_id  text,
  content    jsonb NOT NULL,
  digest     bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX signature_activation_end ON signature_activation (expires_at);
CREATE INDEX signature_activation_account ON signature_activation (account_id, created_at);

-- A new certificate goes into the part that is being filled, and a list is made of one part.
CREATE INDEX pki_certificate_shard ON pki_certificate (authority_id, shard);

COMMENT ON COLUMN signature_credential.id IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.account_id IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.person_id IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.authority_id IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.serial IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.profile IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.key_kind IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.spki IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.sealed IS 'sensitive: yes';
COMMENT ON COLUMN signature_credential.held_for IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.ended_for IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.wrong_tries IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.replaced_by IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.not_after IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.created_at IS 'sensitive: no';
COMMENT ON COLUMN signature_credential.changed_at IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.id IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.account_id IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.client_id IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.content IS 'sensitive: yes';
COMMENT ON COLUMN signature_activation.digest IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.created_at IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.expires_at IS 'sensitive: no';
COMMENT ON COLUMN signature_activation.used_at IS 'sensitive: no';
