-- Who of an agency works on its part of the catalogue, and who wrote a draft: another publishes it.
CREATE TABLE proxy_staff (
  id         uuid PRIMARY KEY,
  namespace  text NOT NULL REFERENCES proxy_namespace (code),
  account_id uuid NOT NULL REFERENCES account (id),
  role       text NOT NULL CHECK (role IN ('manager', 'editor', 'publisher', 'registrar')),
  given_by   text NOT NULL,
  given_at   timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  ended_at   timestamptz
);
CREATE UNIQUE INDEX proxy_staff_held ON proxy_staff (namespace, account_id, role) WHERE ended_at IS NULL;
CREATE INDEX proxy_staff_account ON proxy_staff (account_id) WHERE ended_at IS NULL;
ALTER TABLE proxy_role ADD COLUMN drafted_by text;
CREATE INDEX mandate_entered ON mandate (origin, created_at DESC) WHERE origin <> 'local';

COMMENT ON COLUMN proxy_staff.id IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.namespace IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.account_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.role IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.given_by IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.given_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.ends_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_staff.ended_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.drafted_by IS 'sensitive: no';
