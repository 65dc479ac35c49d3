-- How often somebody tried numbers with names in a day; who acted for an organisation; requests that an agency made for a would-be delegate.
CREATE TABLE proxy_attempt (
  account_id uuid NOT NULL REFERENCES account (id),
  day        date NOT NULL,
  used       int NOT NULL,
  PRIMARY KEY (account_id, day)
);
ALTER TABLE mandate_use ADD COLUMN official_sealed bytea;
ALTER TABLE proxy_request ADD COLUMN client_id text;

COMMENT ON COLUMN proxy_attempt.account_id IS 'sensitive: no';
COMMENT ON COLUMN proxy_attempt.day IS 'sensitive: no';
COMMENT ON COLUMN proxy_attempt.used IS 'sensitive: no';
COMMENT ON COLUMN mandate_use.official_sealed IS 'sensitive: yes';
COMMENT ON COLUMN proxy_request.client_id IS 'sensitive: no';
