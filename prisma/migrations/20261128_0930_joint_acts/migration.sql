-- What exactly an act is, who asked for it, and how it ended when it was not done; who said no.
ALTER TABLE proxy_act ADD COLUMN about text;
ALTER TABLE proxy_act ADD COLUMN version int;
ALTER TABLE proxy_act ADD COLUMN client_id text;
ALTER TABLE proxy_act ADD COLUMN opened_by uuid REFERENCES proxy_party (id);
ALTER TABLE proxy_act ADD COLUMN closed_at timestamptz;
ALTER TABLE proxy_act ADD COLUMN outcome text CHECK (outcome IN ('refused', 'withdrawn', 'expired'));
ALTER TABLE proxy_act ADD CONSTRAINT proxy_act_closed CHECK ((closed_at IS NULL) = (outcome IS NULL));
CREATE INDEX proxy_act_group ON proxy_act (group_key, opened_at DESC);
CREATE INDEX proxy_act_represented ON proxy_act (represented_id, opened_at DESC);
CREATE INDEX proxy_act_open ON proxy_act (expires_at) WHERE used_at IS NULL AND closed_at IS NULL;
CREATE TABLE proxy_act_refusal (
  act_id   uuid NOT NULL REFERENCES proxy_act (id),
  party_id uuid NOT NULL REFERENCES proxy_party (id),
  at       timestamptz NOT NULL,
  PRIMARY KEY (act_id, party_id)
);

COMMENT ON COLUMN proxy_act.about IS 'sensitive: yes';
COMMENT ON COLUMN proxy_act.version IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.client_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.opened_by IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.closed_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_act.outcome IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_refusal.act_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_refusal.party_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_act_refusal.at IS 'sensitive: no';
