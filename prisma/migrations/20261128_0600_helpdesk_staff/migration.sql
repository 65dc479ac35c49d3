-- The help desk's staff: units of the counter, and who may do what in which unit from when until when.

-- A balcão. `parent_id` is the unit whose managers stand above this one's.
CREATE TABLE helpdesk_unit (
  id           uuid PRIMARY KEY,
  code         text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name         text NOT NULL,
  municipality text NOT NULL,
  parent_id    uuid REFERENCES helpdesk_unit (id),
  opened_at    timestamptz NOT NULL,
  closed_at    timestamptz,
  CHECK (parent_id <> id)
);

-- One role of one account in one unit. It ends with its date, when it is taken back, or while it is suspended; and it sleeps while the
-- person's level is below `level`, the one it was granted on.
CREATE TABLE helpdesk_role (
  id            uuid PRIMARY KEY,
  unit_id       uuid NOT NULL REFERENCES helpdesk_unit (id),
  account_id    uuid NOT NULL REFERENCES account (id),
  role          text NOT NULL CHECK (role IN ('attendant', 'supervisor', 'unit-manager', 'image-operator')),
  level         text NOT NULL CHECK (level IN ('bronze', 'prata', 'ouro')),
  starts_at     timestamptz NOT NULL,
  ends_at       timestamptz NOT NULL,
  granted_by    uuid REFERENCES account (id),
  granted_from  text NOT NULL CHECK (granted_from IN ('desk', 'command-line')),
  granted_at    timestamptz NOT NULL,
  suspended_at  timestamptz,
  suspended_by  uuid,
  ended_at      timestamptz,
  ended_by      uuid,
  CHECK (starts_at < ends_at),
  -- Nobody gives a role to themselves, whatever the program says.
  CHECK (granted_by <> account_id),
  CHECK ((granted_by IS NULL) = (granted_from = 'command-line')),
  CHECK (role <> 'supervisor' OR level = 'ouro')
);
CREATE INDEX helpdesk_role_account ON helpdesk_role (account_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX helpdesk_role_standing ON helpdesk_role (unit_id, account_id, role) WHERE ended_at IS NULL;

COMMENT ON COLUMN helpdesk_unit.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.code IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.name IS 'sensitive: no (of a public office)';
COMMENT ON COLUMN helpdesk_unit.municipality IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.parent_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.opened_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.closed_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.account_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.role IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.level IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.starts_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.ends_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.granted_by IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.granted_from IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.granted_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.suspended_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.suspended_by IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.ended_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_role.ended_by IS 'sensitive: no';
