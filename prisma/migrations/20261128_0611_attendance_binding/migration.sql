-- Which account a case is for: the one that the person opened on a device of their own while at the counter, by a link or a code that works once.
-- Without it nobody's account is lifted: whoever registered the CPF before, or does so after, gains nothing by the real person's visit.
ALTER TABLE attendance
  ADD COLUMN binding_token uuid,
  ADD COLUMN bound_account uuid REFERENCES account (id),
  ADD COLUMN bound_at      timestamptz,
  ADD COLUMN image_id      uuid;
CREATE INDEX attendance_binding ON attendance (person_id) WHERE binding_token IS NOT NULL;
COMMENT ON COLUMN attendance.binding_token IS 'sensitive: no';
COMMENT ON COLUMN attendance.bound_account IS 'sensitive: no';
COMMENT ON COLUMN attendance.bound_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.image_id IS 'sensitive: no';
