-- Images that nobody withdrew have a term too: by lack of use, and by death. As shipped nothing of them goes by itself; people look at them.

ALTER TABLE image_retention DROP CONSTRAINT image_retention_counts_check;
ALTER TABLE image_retention ADD CONSTRAINT image_retention_counts_check CHECK (counts IN ('stored', 'withdrawn', 'unused', 'death'));
-- What comes of an image whose time is over: it goes, or somebody looks whether it is still needed.
ALTER TABLE image_retention ADD COLUMN ending text NOT NULL DEFAULT 'erased' CHECK (ending IN ('erased', 'reviewed'));
COMMENT ON COLUMN image_retention.ending IS 'sensitive: no';

INSERT INTO image_retention (kind, source, counts, days, ending, reason, set_by, set_at) VALUES
  ('*', '*', 'unused', 3652, 'reviewed', 'Enquanto durar o vínculo; dez anos sem uso, alguém confere (Código Civil, art. 205). Padrão a confirmar pelo jurídico', 'system', now()),
  ('*', '*', 'death', 1826, 'reviewed', 'Cinco anos depois da morte e do último uso, alguém confere (Decreto 20.910/1932, art. 1º). Padrão a confirmar pelo jurídico', 'system', now())
  ON CONFLICT DO NOTHING;

-- When the person's identity was last used, by the last line of their ledger that is neither the program's own housekeeping nor custody of the images.
CREATE FUNCTION person_last_use(person uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT max(last.at) FROM (SELECT person AS id UNION SELECT a.id FROM account a WHERE a.person_id = person) subject
    CROSS JOIN LATERAL (
      SELECT e.at FROM audit_event e
       WHERE e.subject_id = subject.id AND e.actor_kind <> 'system'
         AND e.type NOT IN ('biometrics/images-exported', 'biometrics/images-removed', 'biometrics/hold-placed', 'biometrics/hold-released')
       ORDER BY e.at DESC LIMIT 1) last
$$;
