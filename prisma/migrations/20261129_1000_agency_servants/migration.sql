-- Who of an agency's team may sign as its servant: in which post, under which number of its staff register, until when.
CREATE TABLE proxy_servant (
  id         uuid PRIMARY KEY,
  namespace  text NOT NULL REFERENCES proxy_namespace (code),
  account_id uuid NOT NULL REFERENCES account (id),
  post       text NOT NULL,
  register   text NOT NULL CHECK (register ~ '^[0-9]{1,10}$'),
  named_by   text NOT NULL,
  named_at   timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  ended_at   timestamptz
);
CREATE UNIQUE INDEX proxy_servant_held ON proxy_servant (namespace, account_id) WHERE ended_at IS NULL;
CREATE INDEX proxy_servant_account ON proxy_servant (account_id) WHERE ended_at IS NULL;
CREATE INDEX proxy_servant_over ON proxy_servant ((coalesce(ended_at, ends_at)));

COMMENT ON COLUMN proxy_servant.id IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.namespace IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.account_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.post IS 'sensitive: yes';
COMMENT ON COLUMN proxy_servant.register IS 'sensitive: yes';
COMMENT ON COLUMN proxy_servant.named_by IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.named_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.ends_at IS 'sensitive: no';
COMMENT ON COLUMN proxy_servant.ended_at IS 'sensitive: no';
