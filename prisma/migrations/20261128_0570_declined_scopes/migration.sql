-- What a person was asked for and left out of an agreement: it is not asked again each time, and no token carries it.
ALTER TABLE consent ADD COLUMN declined text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN consent.declined IS 'sensitive: no';
