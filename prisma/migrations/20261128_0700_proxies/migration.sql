-- Who may act for whom: parties, the catalogue of powers (roles), mandates, their uses, requests to represent, acts that need several people.

-- `document` is a CPF (11), a CNPJ (14), the root of one (8: all establishments), or the code of an organisation. `standing` is what its register said at `standing_at`.
CREATE TABLE proxy_party (
  id          uuid PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('person', 'company', 'organisation')),
  document    text NOT NULL UNIQUE,
  name        text NOT NULL,
  standing    text NOT NULL,
  standing_at timestamptz NOT NULL,
  created_at  timestamptz NOT NULL
);

-- A namespace of roles belongs to one agency's client.
CREATE TABLE proxy_namespace (
  code       text PRIMARY KEY,
  title      text NOT NULL,
  client_id  text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE TABLE proxy_role (
  namespace    text NOT NULL REFERENCES proxy_namespace (code),
  code         text NOT NULL,
  version      int NOT NULL,
  state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  definition   jsonb NOT NULL,
  created_at   timestamptz NOT NULL,
  published_at timestamptz,
  retired_at   timestamptz,
  PRIMARY KEY (namespace, code, version)
);
CREATE UNIQUE INDEX proxy_role_published ON proxy_role (namespace, code) WHERE state = 'published';
CREATE UNIQUE INDEX proxy_role_draft ON proxy_role (namespace, code) WHERE state = 'draft';
-- What people signed for must stay what it was, whoever writes here.
CREATE FUNCTION proxy_role_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.definition IS DISTINCT FROM NEW.definition OR NEW.state = 'draft' THEN
    RAISE EXCEPTION 'a published role never changes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER proxy_role_fixed BEFORE UPDATE OR DELETE ON proxy_role FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION proxy_role_is_fixed();

-- `path` leads from the root mandate to this one; `sub_depth` is how many links may still follow. `represented_id` is the same along a path.
CREATE TABLE mandate (
  id             uuid PRIMARY KEY,
  kind           text NOT NULL,
  state          text NOT NULL,
  represented_id uuid NOT NULL REFERENCES proxy_party (id),
  grantor_id     uuid NOT NULL REFERENCES proxy_party (id),
  delegate_id    uuid NOT NULL REFERENCES proxy_party (id),
  parent_id      uuid REFERENCES mandate (id),
  root_id        uuid NOT NULL,
  path           uuid[] NOT NULL,
  sub_depth      int NOT NULL,
  group_id       uuid,
  quorum         int,
  instance       text,
  valid_from     date NOT NULL,
  valid_through  date,
  effective_at   timestamptz NOT NULL,
  decide_by      timestamptz,
  signatures     int NOT NULL,
  suspended_by   text,
  origin         text NOT NULL,
  origin_sealed  bytea,
  created_by     uuid,
  created_at     timestamptz NOT NULL,
  ended_at       timestamptz,
  CHECK (path[array_length(path, 1)] = id AND path[1] = root_id),
  CHECK ((parent_id IS NULL) = (root_id = id)),
  CHECK (valid_through IS NULL OR valid_through >= valid_from)
);
CREATE INDEX mandate_represented ON mandate (represented_id, delegate_id);
CREATE INDEX mandate_delegate ON mandate (delegate_id, state);
CREATE INDEX mandate_grantor ON mandate (grantor_id);
CREATE INDEX mandate_root ON mandate (root_id) WHERE parent_id IS NOT NULL;
CREATE INDEX mandate_group ON mandate (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX mandate_open ON mandate (decide_by) WHERE state IN ('pending_signature', 'pending_acceptance');
CREATE INDEX mandate_term ON mandate (valid_through) WHERE state IN ('active', 'suspended');
CREATE TABLE mandate_power (
  mandate_id uuid NOT NULL REFERENCES mandate (id),
  namespace  text NOT NULL,
  code       text NOT NULL,
  version    int NOT NULL,
  PRIMARY KEY (mandate_id, namespace, code),
  FOREIGN KEY (namespace, code, version) REFERENCES proxy_role (namespace, code, version)
);
CREATE INDEX mandate_power_namespace ON mandate_power (namespace, code);
CREATE TABLE mandate_signature (
  mandate_id uuid NOT NULL REFERENCES mandate (id),
  party_id   uuid NOT NULL REFERENCES proxy_party (id),
  at         timestamptz NOT NULL,
  PRIMARY KEY (mandate_id, party_id)
);
-- Every transition of every mandate.
CREATE TABLE mandate_event (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mandate_id uuid NOT NULL REFERENCES mandate (id),
  type       text NOT NULL,
  actor_kind text NOT NULL,
  actor_id   text,
  reason     text,
  at         timestamptz NOT NULL
);
CREATE INDEX mandate_event_mandate ON mandate_event (mandate_id, id);
CREATE TABLE mandate_use (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mandate_id     uuid REFERENCES mandate (id),
  represented_id uuid NOT NULL REFERENCES proxy_party (id),
  actor_id       uuid NOT NULL REFERENCES proxy_party (id),
  client_id      text NOT NULL,
  namespace      text,
  code           text,
  service        text,
  at             timestamptz NOT NULL
);
CREATE INDEX mandate_use_mandate ON mandate_use (mandate_id, id DESC);
CREATE INDEX mandate_use_represented ON mandate_use (represented_id, id DESC);

-- A would-be delegate asks.
CREATE TABLE proxy_request (
  id             uuid PRIMARY KEY,
  state          text NOT NULL CHECK (state IN ('asked', 'granted', 'refused', 'withdrawn', 'lapsed')),
  represented_id uuid NOT NULL REFERENCES proxy_party (id),
  delegate_id    uuid NOT NULL REFERENCES proxy_party (id),
  powers         jsonb NOT NULL,
  valid_through  date NOT NULL,
  created_at     timestamptz NOT NULL,
  decide_by      timestamptz NOT NULL,
  decided_at     timestamptz
);
CREATE UNIQUE INDEX proxy_request_open ON proxy_request (represented_id, delegate_id) WHERE state = 'asked';
CREATE INDEX proxy_request_delegate ON proxy_request (delegate_id, created_at);
CREATE INDEX proxy_request_represented ON proxy_request (represented_id, created_at);
CREATE INDEX proxy_request_due ON proxy_request (decide_by) WHERE state = 'asked';
-- No request any more: from one delegate, or (equal ids) from anybody.
CREATE TABLE proxy_request_block (
  represented_id uuid NOT NULL REFERENCES proxy_party (id),
  delegate_id    uuid NOT NULL REFERENCES proxy_party (id),
  at             timestamptz NOT NULL,
  PRIMARY KEY (represented_id, delegate_id)
);

-- One act that several people must approve. `group_key` is a mandate's group, or the root of a company whose administrators bind it together.
CREATE TABLE proxy_act (
  id             uuid PRIMARY KEY,
  represented_id uuid NOT NULL REFERENCES proxy_party (id),
  group_key      text NOT NULL,
  quorum         int NOT NULL,
  namespace      text NOT NULL,
  code           text NOT NULL,
  service        text,
  instance       text,
  opened_at      timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz
);
CREATE TABLE proxy_act_approval (
  act_id   uuid NOT NULL REFERENCES proxy_act (id),
  party_id uuid NOT NULL REFERENCES proxy_party (id),
  at       timestamptz NOT NULL,
  PRIMARY KEY (act_id, party_id)
);

-- What the company register answered, kept for a day at most. `quorum` 1 = each administrator alone.
CREATE TABLE company_record (
  root       text PRIMARY KEY,
  cnpj       text NOT NULL,
  name       text NOT NULL,
  standing   text NOT NULL,
  quorum     int NOT NULL,
  source     text NOT NULL,
  checked_at timestamptz NOT NULL
);
CREATE TABLE company_administrator (
  root text NOT NULL REFERENCES company_record (root),
  cpf  text NOT NULL,
  PRIMARY KEY (root, cpf)
);
CREATE INDEX company_administrator_cpf ON company_administrator (cpf);
-- Whose companies were looked up, and when.
CREATE TABLE company_lookup (
  cpf        text PRIMARY KEY,
  checked_at timestamptz NOT NULL
);

-- The readable instrument of a mandate: its sealed PDF, the digest that the audit record holds, and its public code (looked up by a keyed hash).
CREATE TABLE mandate_instrument (
  mandate_id  uuid PRIMARY KEY REFERENCES mandate (id),
  code_hash   bytea NOT NULL UNIQUE,
  code_sealed bytea NOT NULL,
  sealed      bytea NOT NULL,
  digest      bytea NOT NULL,
  created_at  timestamptz NOT NULL
);

COMMENT ON COLUMN proxy_party.id IS 'sensitive: no';
COMMENT ON COLUMN proxy_party.kind IS 'sensitive: no';
COMMENT ON COLUMN proxy_party.document IS 'sensitive: yes';
COMMENT ON COLUMN proxy_party.name IS 'sensitive: yes';
COMMENT ON COLUMN proxy_party.standing IS 'sensitive: yes';
COMMENT ON COLUMN proxy_party.standing_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_party.created_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_namespace.code IS 'sensitive: no';
COMMENT ON COLUMN proxy_namespace.title IS 'sensitive: no';
COMMENT ON COLUMN proxy_namespace.client_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_namespace.created_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.namespace IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.code IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.version IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.state IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.definition IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.created_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.published_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_role.retired_at IS 'sensitive: no';
COMMENT ON COLUMN mandate.id IS 'sensitive: no';
COMMENT ON COLUMN mandate.kind IS 'sensitive: no';
COMMENT ON COLUMN mandate.state IS 'sensitive: no';
COMMENT ON COLUMN mandate.represented_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.grantor_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.delegate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.parent_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.root_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.path IS 'sensitive: no';
COMMENT ON COLUMN mandate.sub_depth IS 'sensitive: no';
COMMENT ON COLUMN mandate.group_id IS 'sensitive: no';
COMMENT ON COLUMN mandate.quorum IS 'sensitive: no';
COMMENT ON COLUMN mandate.instance IS 'sensitive: yes';
COMMENT ON COLUMN mandate.valid_from IS 'sensitive: no';
COMMENT ON COLUMN mandate.valid_through IS 'sensitive: no';
COMMENT ON COLUMN mandate.effective_at IS 'sensitive: no';
COMMENT ON COLUMN mandate.decide_by IS 'sensitive: no';
COMMENT ON COLUMN mandate.signatures IS 'sensitive: no';
COMMENT ON COLUMN mandate.suspended_by IS 'sensitive: no';
COMMENT ON COLUMN mandate.origin IS 'sensitive: no';
COMMENT ON COLUMN mandate.origin_sealed IS 'sensitive: yes';
COMMENT ON COLUMN mandate.created_by IS 'sensitive: no';
COMMENT ON COLUMN mandate.created_at IS 'sensitive: no';
COMMENT ON COLUMN mandate.ended_at IS 'sensitive: no';
COMMENT ON COLUMN mandate_power.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_power.namespace IS 'sensitive: no';
COMMENT ON COLUMN mandate_power.code IS 'sensitive: no';
COMMENT ON COLUMN mandate_power.version IS 'sensitive: no';
COMMENT ON COLUMN mandate_signature.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_signature.party_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_signature.at IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.id IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.type IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.actor_kind IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.actor_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.reason IS 'sensitive: no';
COMMENT ON COLUMN mandate_event.at IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.id IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.represented_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.actor_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.client_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.namespace IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.code IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.service IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.at IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.id IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.state IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.represented_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.delegate_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.powers IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.valid_through IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.created_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.decide_by IS 'sensitive: no';
COMMENT ON COLUMN proxy_request.decided_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_request_block.represented_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_request_block.delegate_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_request_block.at IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.represented_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.group_key IS 'sensitive: yes';
COMMENT ON COLUMN proxy_act.quorum IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.namespace IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.code IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.service IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.instance IS 'sensitive: yes';
COMMENT ON COLUMN proxy_act.opened_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.expires_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.used_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_approval.act_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_approval.party_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_approval.at IS 'sensitive: no';
COMMENT ON COLUMN company_record.root IS 'sensitive: yes';
COMMENT ON COLUMN company_record.cnpj IS 'sensitive: yes';
COMMENT ON COLUMN company_record.name IS 'sensitive: yes';
COMMENT ON COLUMN company_record.standing IS 'sensitive: yes';
COMMENT ON COLUMN company_record.quorum IS 'sensitive: no';
COMMENT ON COLUMN company_record.source IS 'sensitive: no';
COMMENT ON COLUMN company_record.checked_at IS 'sensitive: no';
COMMENT ON COLUMN company_administrator.root IS 'sensitive: yes';
COMMENT ON COLUMN company_administrator.cpf IS 'sensitive: yes';
COMMENT ON COLUMN company_lookup.cpf IS 'sensitive: yes';
COMMENT ON COLUMN company_lookup.checked_at IS 'sensitive: no';
COMMENT ON COLUMN mandate_instrument.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_instrument.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN mandate_instrument.code_sealed IS 'sensitive: yes';
COMMENT ON COLUMN mandate_instrument.sealed IS 'sensitive: yes';
COMMENT ON COLUMN mandate_instrument.digest IS 'sensitive: yes';
COMMENT ON COLUMN mandate_instrument.created_at IS 'sensitive: no';
