-- The State's certificate authority: keys, authorities, certificates, lists of revoked ones.

-- A private key of the authority or of one of its services; `sealed` is PKCS#8 under the keyring.
CREATE TABLE pki_key (
  id         uuid PRIMARY KEY,
  kind       text NOT NULL,
  spki       bytea NOT NULL,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL
);

-- An issuing authority below an offline root. Retired ones issue nothing more, and go on answering for what they issued.
CREATE TABLE pki_authority (
  id           uuid PRIMARY KEY,
  key_id       uuid NOT NULL REFERENCES pki_key (id),
  state        text NOT NULL CHECK (state IN ('requested', 'active', 'retired')),
  demo         boolean NOT NULL,
  organization text NOT NULL,
  certificate  bytea,
  root         bytea,
  root_crl     bytea,
  created_at   timestamptz NOT NULL,
  installed_at timestamptz,
  CHECK (state = 'requested' OR (certificate IS NOT NULL AND root IS NOT NULL AND root_crl IS NOT NULL AND installed_at IS NOT NULL))
);
CREATE UNIQUE INDEX pki_authority_active ON pki_authority ((true)) WHERE state = 'active';

-- Every certificate that an authority issued, for as long as somebody may ask. `subject_id` is the person's, where there is one.
CREATE TABLE pki_certificate (
  authority_id      uuid NOT NULL REFERENCES pki_authority (id),
  serial            text NOT NULL,
  number            bigint GENERATED ALWAYS AS IDENTITY,
  shard             int NOT NULL,
  profile           text NOT NULL,
  key_id            uuid REFERENCES pki_key (id),
  subject_id        uuid REFERENCES person (id),
  der               bytea NOT NULL,
  not_before        timestamptz NOT NULL,
  not_after         timestamptz NOT NULL,
  issued_at         timestamptz NOT NULL,
  revoked_at        timestamptz,
  revocation_reason text,
  PRIMARY KEY (authority_id, serial),
  CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
);
CREATE INDEX pki_certificate_revoked ON pki_certificate (authority_id, shard) WHERE revoked_at IS NOT NULL;
CREATE INDEX pki_certificate_service ON pki_certificate (authority_id, profile, not_after DESC) WHERE subject_id IS NULL;
CREATE INDEX pki_certificate_subject ON pki_certificate (subject_id) WHERE subject_id IS NOT NULL;

-- The newest list of each part of an authority's certificates; `stale` from the transaction of a revocation on, until the next is made.
CREATE TABLE pki_crl (
  authority_id uuid NOT NULL REFERENCES pki_authority (id),
  shard        int NOT NULL,
  number       bigint NOT NULL,
  stale        boolean NOT NULL,
  der          bytea,
  made_at      timestamptz,
  PRIMARY KEY (authority_id, shard)
);

COMMENT ON COLUMN pki_key.id IS 'sensitive: no';
COMMENT ON COLUMN pki_key.kind IS 'sensitive: no';
COMMENT ON COLUMN pki_key.spki IS 'sensitive: no';
COMMENT ON COLUMN pki_key.sealed IS 'sensitive: yes';
COMMENT ON COLUMN pki_key.created_at IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.id IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.key_id IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.state IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.demo IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.organization IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.certificate IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.root IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.root_crl IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.created_at IS 'sensitive: no';
COMMENT ON COLUMN pki_authority.installed_at IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.authority_id IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.serial IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.number IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.shard IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.profile IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.key_id IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.subject_id IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.der IS 'sensitive: yes';
COMMENT ON COLUMN pki_certificate.not_before IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.not_after IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.issued_at IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.revoked_at IS 'sensitive: no';
COMMENT ON COLUMN pki_certificate.revocation_reason IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.authority_id IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.shard IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.number IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.stale IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.der IS 'sensitive: no';
COMMENT ON COLUMN pki_crl.made_at IS 'sensitive: no';
