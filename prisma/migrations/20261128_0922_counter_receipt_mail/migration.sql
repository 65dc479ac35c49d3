-- Receipts that were sent to the account that the citizen bound to the case; each leads to the file once, and a new one ends the former.
CREATE TABLE attendance_receipt_mail (
  id            uuid PRIMARY KEY,
  attendance_id uuid NOT NULL REFERENCES attendance (id),
  account_id    uuid NOT NULL REFERENCES account (id),
  token_id      uuid NOT NULL,
  sent_by       uuid NOT NULL REFERENCES account (id),
  sent_at       timestamptz NOT NULL,
  taken_at      timestamptz
);
CREATE INDEX attendance_receipt_mail_case ON attendance_receipt_mail (attendance_id, sent_at);
COMMENT ON COLUMN attendance_receipt_mail.id IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.account_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.token_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.sent_by IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.sent_at IS 'sensitive: no';
COMMENT ON COLUMN attendance_receipt_mail.taken_at IS 'sensitive: no';
