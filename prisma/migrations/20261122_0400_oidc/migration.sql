-- The protocol's short-lived state on a PostgreSQL server: no write-ahead log, so no wait for the disk. What a crash of that server
-- empties are sessions, codes and opaque access tokens: everyone signs in again and nothing that was spent comes back (docs/adr/0002).
-- The embedded database dies with the process, so there the same rows live in oidc_artifact.
CREATE UNLOGGED TABLE oidc_volatile (
  model       text NOT NULL,
  id          text NOT NULL,
  payload     json NOT NULL,
  uid         text,
  user_code   text,
  grant_id    text,
  account_id  text,
  expires_at  timestamptz,
  consumed_at timestamptz,
  PRIMARY KEY (model, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX oidc_volatile_grant ON oidc_volatile (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX oidc_volatile_uid ON oidc_volatile (uid) WHERE uid IS NOT NULL;
CREATE INDEX oidc_volatile_user_code ON oidc_volatile (user_code) WHERE user_code IS NOT NULL;
CREATE INDEX oidc_volatile_session_account ON oidc_volatile (account_id) WHERE model = 'Session';
CREATE INDEX oidc_volatile_expires ON oidc_volatile (expires_at);

CREATE TABLE oidc_resource (
  indicator        text PRIMARY KEY,
  name             text NOT NULL,
  scopes           text[] NOT NULL,
  token_format     text NOT NULL CHECK (token_format IN ('opaque', 'jwt')),
  token_ttl        int NOT NULL CHECK (token_ttl > 0),
  owner_client_id  text,
  created_at       timestamptz NOT NULL,
  disabled_at      timestamptz
);

CREATE TABLE oidc_logout_notice (
  id              uuid PRIMARY KEY,
  client_id       text NOT NULL,
  account_id      text NOT NULL,
  sid             text,
  reason          text NOT NULL,
  created_at      timestamptz NOT NULL,
  attempts        int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  delivered_at    timestamptz,
  given_up_at     timestamptz,
  last_error      text
);
CREATE INDEX oidc_logout_notice_due ON oidc_logout_notice (next_attempt_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;

COMMENT ON COLUMN oidc_volatile.model IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.id IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.payload IS 'sensitive: yes';
COMMENT ON COLUMN oidc_volatile.uid IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.user_code IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.grant_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.account_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.expires_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_volatile.consumed_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.indicator IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.name IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.scopes IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.token_format IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.token_ttl IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.owner_client_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.created_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.disabled_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.id IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.client_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.account_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.sid IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.reason IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.created_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.attempts IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.next_attempt_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.delivered_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.given_up_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_logout_notice.last_error IS 'sensitive: no';
