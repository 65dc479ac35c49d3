-- An organisation that helps citizens belongs to the client that named it first: nobody else gives it another name, or help in its name.
ALTER TABLE proxy_party ADD COLUMN owner_client_id text;
COMMENT ON COLUMN proxy_party.owner_client_id IS 'sensitive: no';

UPDATE proxy_party p SET owner_client_id = coalesce(
  (SELECT m.origin FROM mandate m WHERE m.delegate_id = p.id AND m.origin <> 'local' ORDER BY m.created_at, m.id LIMIT 1), 'nobody')
  WHERE kind = 'organisation';
ALTER TABLE proxy_party ADD CONSTRAINT proxy_party_owner CHECK ((kind = 'organisation') = (owner_client_id IS NOT NULL));
